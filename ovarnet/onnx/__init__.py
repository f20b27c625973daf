"""Models as ONNX files: export, and inference by ONNX Runtime."""
