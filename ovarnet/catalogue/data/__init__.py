"""Readers of catalogues, their splits and their preparation."""
