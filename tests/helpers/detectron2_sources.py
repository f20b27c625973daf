"""detectron2 for the tests: an installed one, or its Python sources without the compiled part.

`OVARNET_DETECTRON2_SOURCES` names a folder with the package ``detectron2``, such as the unpacked
``pb1-detectron2`` of the package index. Nothing that the tests use is compiled.
"""

import importlib.util
import os
import sys
import types

import PIL.Image
import pytest


def require_detectron2():
    """Make detectron2 importable, or skip the test file that calls this before it imports it."""
    sources = os.environ.get("OVARNET_DETECTRON2_SOURCES")
    if sources and sources not in sys.path:
        sys.path.append(sources)
    pytest.importorskip("detectron2", reason="set OVARNET_DETECTRON2_SOURCES, see .ci/run")
    name = "detectron2._C"
    if name not in sys.modules and importlib.util.find_spec(name) is None:
        sys.modules[name] = compiled = types.ModuleType(name)
        # which detectron2 logs
        compiled.get_compiler_version = compiled.get_cuda_version = lambda: "not compiled"
    if not hasattr(PIL.Image, "LINEAR"):  # a name that Pillow dropped after detectron2 0.6
        PIL.Image.LINEAR = PIL.Image.BILINEAR
