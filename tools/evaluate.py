"""`ovarnet evaluate` as a script."""

import sys

from ovarnet.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main(["evaluate", *sys.argv[1:]]))
