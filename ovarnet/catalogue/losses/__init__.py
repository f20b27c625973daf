"""Losses of the catalogue stages, as plain functions."""
