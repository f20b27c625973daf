"""The tables of this project, each run by one command: `ovarnet reproduce`."""
