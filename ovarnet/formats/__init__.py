"""Label files of other tools: what `ovarnet detect` found, and data sets, from one to another."""
