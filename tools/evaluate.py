"""`ovarnet evaluate` as a script: measures a model on a dataset, or a file of predictions of any
other system.
"""

import sys

from ovarnet.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main(["evaluate", *sys.argv[1:]]))
