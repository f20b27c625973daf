"""Models of products, and what they see of a photo."""
