"""CLIP-Attr: calibration, step I, pseudo-labels, step II, linear probe (method sections 3, 4)."""
