"""CLIP-Attr: zero-shot calibration, step I, pseudo-labels, step II and the linear probe (method
sections 3 and 4).
"""
