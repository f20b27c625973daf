"""One file per sub-command: its docstring is the help; `add_arguments` and `run` are called.

Packages that are slow to import are imported inside `run`, so that `--help` is not.
"""
