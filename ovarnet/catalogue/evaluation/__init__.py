"""What the catalogue's models get right on held-out products: retrieval, labels, pretext tasks."""
