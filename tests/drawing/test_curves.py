"""Training curves."""

import json

import numpy as np
from PIL import Image

from ovarnet.drawing.curves import curves


def drawn(path):
    """(rows, columns) bool: in which of the plots of a figure a curve is seen, each 440 x 286
    pixels."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    blue = np.abs(pixels - (31, 119, 180)).sum(axis=2) < 30  # matplotlib's first colour
    rows, columns = blue.shape[0] // 286, blue.shape[1] // 440
    assert blue.shape == (286 * rows, 440 * columns)
    return (blue.reshape(rows, 286, columns, 440).sum(axis=(1, 3)) > 50).tolist()


def test_curves_of_no_one_and_four_names(tmp_path):
    history = {
        "loss": [(0, 2.0), (10, 1.0)],
        "AP": [(5, 0.3)],
        "none yet": [],
        "lr": [(0, 0.1), (10, 0.2)],
    }
    expected = {
        "empty": [[False]],
        "one": [[True]],
        "four": [[True, False, False], [True, False, False]],
    }  # a point is no curve
    for name, part in (
        ("empty", {}),
        ("one", {"loss": history["loss"]}),
        ("four", json.loads(json.dumps(history))),
    ):
        curves(part, tmp_path / "new" / f"{name}.png")
        assert drawn(tmp_path / "new" / f"{name}.png") == expected[name]
    assert len(list((tmp_path / "new").iterdir())) == 3
