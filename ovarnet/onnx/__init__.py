"""OvarNet in the form that `torch.export` and ONNX need."""
