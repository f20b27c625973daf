"""Pre-training tasks on titles and patches: masks, alignment, corruptions."""
