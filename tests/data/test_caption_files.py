import json

import pytest
from PIL import Image

from ovarnet.data.captions import CaptionedImage, load_captions
from ovarnet.data.records import Skipped
from ovarnet.errors import InputError


@pytest.fixture
def file(tmp_path):
    images = [{"id": number, "file_name": f"{number}.jpg", "height": 2, "width": 2} for number in (4, 3, 2, 1)]
    for image in images[:3]:
        Image.new("RGB", (2, 2)).save(tmp_path / image["file_name"])
    captions = [(10, 3, "A dog."), (11, 4, "A red mug.\n"), (12, 3, "Two dogs."), (13, 3, " "),
                (14, 9, "Lost."), (15, 1, "No file."), (16, 4, 7)]
    records = [{"id": number, "image_id": image, "caption": caption} for number, image, caption in captions]
    (tmp_path / "captions.json").write_text(json.dumps({"info": {}, "images": images, "annotations": records}))
    return tmp_path / "captions.json"


def test_captions_per_image_in_file_order(file):
    skipped = Skipped()
    assert load_captions(file, file.parent, skipped) == [CaptionedImage(str(file.parent / "4.jpg"), "4", ["A red mug."]),
                                                         CaptionedImage(str(file.parent / "3.jpg"), "3", ["A dog.", "Two dogs."])]
    assert skipped.items == {"caption empty or not a string": ["annotation 13", "annotation 16"], "image without a caption": ["2.jpg"],
                             "image_id not among the images": ["annotation 14: 9"], "image file missing": ["1.jpg"]}


def test_files_that_cannot_be_used(file, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="none of its 4 images can be used"):
        load_captions(file, tmp_path / "empty")
    file.write_text('{"images": []}')
    with pytest.raises(InputError, match="'annotations' must be a list"):
        load_captions(file, tmp_path)
