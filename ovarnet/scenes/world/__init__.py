"""The renderer of the generated world and its annotations."""
