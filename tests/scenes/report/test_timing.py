"""Milliseconds per image, with a clock made by hand."""

from types import SimpleNamespace

import pytest
from PIL import Image

from ovarnet.scenes.report.timing import milliseconds_per_image


def test_models_take_turns_and_the_first_image_does_not_count(tmp_path, monkeypatch):
    files = [str(tmp_path / f"{number}.png") for number in range(3)]
    for file in files:
        Image.new("RGB", (8, 6)).save(file)
    clock = iter([0, 9, 9, 18, 18, 18.1, 20, 20.4, 21, 21.3, 22, 22.4])
    monkeypatch.setattr("ovarnet.scenes.report.timing.time.perf_counter", lambda: next(clock))
    seen = []
    models = {
        name: SimpleNamespace(
            encode_vocabulary=lambda name=name: f"words of {name}",
            detect=lambda image, vocabulary: seen.append((vocabulary, image.shape)),
        )
        for name in ("a", "b")
    }
    times = milliseconds_per_image(models, files)
    assert seen == [("words of a", (6, 8, 3)), ("words of b", (6, 8, 3))] * 3
    assert times == {"a": pytest.approx(200), "b": pytest.approx(400)}
