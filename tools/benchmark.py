"""`ovarnet benchmark` as a script."""

import sys

from ovarnet.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main(["benchmark", *sys.argv[1:]]))
