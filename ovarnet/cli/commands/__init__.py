"""One file per sub-command of `ovarnet`, each with HELP, add_arguments(parser) and run(args) ->
exit code.

Heavy imports (torch and everything that needs it) stay inside `run`, so that `--help` answers at
once.
"""
