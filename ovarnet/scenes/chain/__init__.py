"""The whole chain on the generated world: `ovarnet reproduce scenes`."""
