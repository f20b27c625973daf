import pytest
from dataset_files import coco_box, write_image, write_json

from ovarnet.data.coco_ovd import ignored_categories
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.splits import COCO_EXTRA_15


@pytest.fixture
def coco(tmp_path):
    """1 dog (novel) and person (base), 2 only a dog, 3 only a traffic light (ignored), 4
    nothing."""
    images = [
        {"id": n, "file_name": f"{n:012d}.jpg", "height": 40, "width": 60} for n in (1, 2, 3, 4)
    ]
    categories = [
        {"id": n, "name": name, "supercategory": "x"}
        for n, name in ((1, "person"), (10, "traffic light"), (18, "dog"))
    ]
    boxes = [coco_box(1, 1, 18), coco_box(2, 1, 1), coco_box(3, 2, 18), coco_box(4, 3, 10)]
    for split in ("train", "val"):
        write_json(
            tmp_path / f"annotations/instances_{split}2017.json",
            {"images": images, "annotations": boxes, "categories": categories},
        )
        for image in images:
            write_image(tmp_path / f"{split}2017" / image["file_name"])
    return tmp_path


def test_coco_ovd_keeps_images_with_a_kept_box(coco):
    vocabulary, images = open_dataset("coco-ovd", coco, "val")
    assert vocabulary.category_names == ["person", "dog"]
    assert vocabulary.category_seen.tolist() == [
        True,
        False,
    ]
    assert [(image.image_id, image.categories.tolist()) for image in images] == [
        ("1", [1, 0]),
        ("2", [1]),
    ]
    _, images = open_dataset("coco-ovd", coco, "train")
    assert [
        (image.image_id, image.categories.tolist(), image.instance_ids) for image in images
    ] == [("1", [0], ["2"])]


def test_background_images_follow_where_they_are_wanted(coco):
    _, images = open_dataset("coco-ovd", coco, "val", background=True)
    assert [(image.image_id, len(image)) for image in images] == [
        ("1", 2),
        ("2", 1),
        ("3", 0),
        ("4", 0),
    ]
    _, images = open_dataset("coco-ovd", coco, "train", background=True)
    assert [image.image_id for image in images] == ["1"]  # training has no use for them


def test_images_need_not_be_there_to_score_predictions(coco):
    for file in (coco / "val2017").iterdir():
        file.unlink()
    assert len(open_dataset("coco-ovd", coco, "val", images=False)[1]) == 2
    with pytest.raises(InputError, match="none of its 4 images can be used"):
        open_dataset("coco-ovd", coco, "val")


def test_ignored_categories_of_the_divisions():
    assert ignored_categories("48/17") == COCO_EXTRA_15
    assert ignored_categories("48/32") == frozenset()
