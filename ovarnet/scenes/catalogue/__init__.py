"""The drawn catalogue: product photos of generated objects, with titles, labels and queries."""
