"""Stage "clip": contrastive pre-training of a CLIP on image-caption pairs."""
