"""Videos, cameras and streams: frames in, boxes tracked through them, annotated video out."""
