"""The chain on real photos: their data brought together, its steps, and what it measured."""
