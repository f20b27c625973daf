"""The tables of `ovarnet reproduce catalogue`: rows over seeds, each beside its level of chance."""
