"""The training stages of the catalogue."""
