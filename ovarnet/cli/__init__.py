"""The `ovarnet` command line."""
