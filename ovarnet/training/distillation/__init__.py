"""Stage "ovarnet": the one-stage model, distilled from CLIP-Attr (method sections 5 and 6)."""
