"""Pictures: boxes with labels, curves, fonts."""
