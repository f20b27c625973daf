"""Training data shared by the stages: annotated boxes, crops, and the base / novel checks."""
