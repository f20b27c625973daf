import json

import pytest

from ovarnet.data.coco_captions import load_coco_captions
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped


def written(path, images, annotations):
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    return path


def test_captions_are_joined_by_image_and_the_rest_is_counted(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"x")
    file = written(
        tmp_path / "captions.json",
        [
            {"id": 7, "file_name": "a.jpg"},
            {"id": 8, "file_name": "gone.jpg"},
            {"id": 9, "file_name": "b.jpg"},
            {"file_name": "c.jpg"},
        ],
        [
            {"id": 1, "image_id": "7", "caption": " one "},
            {"id": 2, "image_id": 7.0, "caption": "two"},
            {"id": 3, "image_id": 8, "caption": "x"},
            {"id": 4, "image_id": 5, "caption": "x"},
            {"id": 5, "image_id": 7, "caption": " "},
            {"id": 6, "image_id": 7, "caption": None},
        ],
    )
    skipped = Skipped()
    (image,) = load_coco_captions(file, tmp_path, skipped)
    assert (image.file, image.image_id) == (str(tmp_path / "a.jpg"), "7")
    assert image.captions == ["one", "two"]
    assert skipped.counts == {
        "image file missing": 1,
        "image without a caption": 1,
        "image record without id or file_name": 1,
        "image_id not among the images": 1,
        "caption empty or not a string": 2,
    }


def test_files_that_cannot_be_used(tmp_path):
    image, caption = {"id": 1, "file_name": "a.jpg"}, {"image_id": 1, "caption": "x"}
    for images, captions, message in (
        ([image, image], [caption], "image id 1 occurs 2 times"),
        ([image], [caption], "none of its 1 images can be used: 1 x image file missing"),
        ([image], [3], "'annotations' must be a list of objects"),
    ):
        with pytest.raises(InputError, match=message):
            load_coco_captions(written(tmp_path / "c.json", images, captions), tmp_path)
