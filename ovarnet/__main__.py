"""`python -m ovarnet` does the same as the `ovarnet` command."""

from ovarnet.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
