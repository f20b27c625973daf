"""`ovarnet parse-captions` as a script: parse caption files into JSON lines. `--help` shows the
options.
"""

import sys

from ovarnet.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main(["parse-captions", *sys.argv[1:]]))
