"""The models of the paper, a file for each box of its figure."""
