"""Images found, batched and run through a model that is made by hand."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ovarnet.cli import image_batches
from ovarnet.cli.image_batches import Entry, batches, each_image, find_images
from ovarnet.errors import InputError


def picture(path, width=6, height=4):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height)).save(path)
    return path


def refuse(file, error):
    raise AssertionError(f"{file}: {error}")


def test_each_file_once_and_nothing_of_the_output_folder(tmp_path):
    first, second = picture(tmp_path / "in/a.png"), picture(tmp_path / "in/deep/b.png")
    picture(tmp_path / "in/out/a.jpg")
    found = find_images([tmp_path / "in", first], tmp_path / "in/out")
    assert found == [first, second]


def test_only_results_in_a_folder_are_no_images(tmp_path):
    picture(tmp_path / "in/out/a.jpg")
    with pytest.raises(InputError, match="holds no images outside the output folder"):
        find_images([tmp_path / "in"], tmp_path / "in/out")


def test_a_folder_without_images_is_an_error_alone_and_an_entry_among_others(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no image in this folder"):
        find_images([tmp_path / "empty"], tmp_path / "out")
    good = picture(tmp_path / "a.png")
    found = find_images([tmp_path / "empty", good], tmp_path / "out")
    assert found == [tmp_path / "empty", good]


def test_batches_end_at_their_size_and_at_their_pixels(tmp_path, monkeypatch):
    files = [picture(tmp_path / f"{number}.png") for number in range(5)]
    sizes = [len(batch) for batch in batches(files, None, 2, refuse)]
    assert sizes == [2, 2, 1]
    monkeypatch.setattr(image_batches, "BATCH_PIXELS", 3 * 24)
    assert [len(batch) for batch in batches(files, None, 9, refuse)] == [3, 2]
    monkeypatch.setattr(image_batches, "BATCH_PIXELS", 1)  # one image is always possible
    assert [len(batch) for batch in batches(files, None, 9, refuse)] == [1] * 5


def test_unreadable_images_are_skipped(tmp_path):
    (tmp_path / "bad.png").write_text("no image")
    skipped = []
    files = [tmp_path / "bad.png", picture(tmp_path / "good.png")]
    ((entry,),) = batches(files, None, 2, lambda file, error: skipped.append(file.name))
    assert entry.file.name == "good.png"
    assert entry.image.shape == (4, 6, 3)
    assert entry.boxes is None
    assert skipped == ["bad.png"]


def test_a_refused_batch_is_retried_image_by_image():
    batch = [Entry(Path(name), np.zeros((4, 6, 3), np.uint8), None) for name in "abc"]
    calls, skipped = [], []

    def run_model(images, boxes):
        names = [image.filename for image in images]
        calls.append(names)
        assert boxes is None
        if "b" in names:
            raise InputError("b is refused")
        return [name.upper() for name in names]

    found = list(each_image(run_model, batch, lambda file, error: skipped.append(str(file))))
    assert [(entry.file.name, result) for entry, result in found] == [("a", "A"), ("c", "C")]
    assert calls == [["a", "b", "c"], ["a"], ["b"], ["c"]]
    assert skipped == ["b"]
