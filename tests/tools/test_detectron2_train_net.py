"""The script without detectron2 says how to install it, in one line."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "tools/detectron2_train_net.py"


def test_a_missing_detectron2_is_one_line():
    code = (
        "import runpy, sys; sys.modules['detectron2'] = None; "
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ovarnet.integrations.detectron2 needs detectron2")
    assert 'pip install "ovarnet[detectron2]" && pip install --no-deps' in done.stderr
    assert done.stderr.count("\n") == 1
