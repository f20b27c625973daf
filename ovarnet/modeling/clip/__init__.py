"""CLIP image and text towers, their weights, and dense feature maps of the image tower."""
