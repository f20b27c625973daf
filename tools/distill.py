"""`ovarnet distill` as a script: --config-file FILE [--resume] [KEY=VALUE ...]."""

import sys

from ovarnet.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main(["distill", *sys.argv[1:]]))
