"""The photo datasets brought together, from a small tree of their form."""

import json
import shutil

import pytest
from dataset_files import write_image, write_json

from ovarnet.data.captions import load_captions
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.photos.data import VALIDATION_EVERY, write_photo_data
from ovarnet.structures import UNKNOWN

PHOTOS = range(1, VALIDATION_EVERY + 3)
"""Ids of the photos of VOC; the first and the eleventh are kept for validation."""
HELD_OUT = [1, VALIDATION_EVERY + 1]


def write_dataset(root, file, boxes, categories=("dog", "car")):
    """A COCO-style file and its images.

    Args:
        root: of the photos.
        file: below the root.
        boxes: (id of the image, name of the category, further keys) of each box.
        categories: their ids begin with 5.
    """
    stem, ids = root / file, sorted({image for image, *_ in boxes})
    for image in ids:
        write_image(stem.parent / f"images/{stem.stem}_{image}.jpg")
    content = {
        "images": [
            {
                "id": image,
                "file_name": f"images/{stem.stem}_{image}.jpg",
                "width": 60,
                "height": 40,
            }
            for image in ids
        ],
        "categories": [{"id": 5 + n, "name": name} for n, name in enumerate(categories)],
        "annotations": [
            {
                "id": number,
                "image_id": image,
                "category_id": 5 + categories.index(name),
                "bbox": [image, 2, 10, 20],
                **more,
            }
            for number, (image, name, more) in enumerate(boxes)
        ],
    }
    write_json(stem, content)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Folders of the photos, of the captions, and of coco128."""
    root = tmp_path_factory.mktemp("photos")
    described = {"attributes": {"furry": 1, "shiny": 0}}
    write_dataset(
        root,
        "voc/voc2008_train.json",
        [(n, "dog", described) for n in PHOTOS]
        + [(2, "car", {"difficult": 1}), (3, "car", {"iscrowd": 1})]
        + [(1, "cow", {"attributes": {"spotted": 1}})],
        categories=("dog", "car", "cow"),
    )
    write_dataset(root, "voc/voc2007_train.json", [(7, "car", {}), (9, "dog", {})])
    colour = {"attributes": {"red": 1}}
    write_dataset(root, "clothing/train.json", [(1, "shirt", colour), (2, "shirt", {})], ("shirt",))
    write_dataset(root, "cars/train.json", [(3, "car", colour), (4, "car", colour)], ("car",))
    for name, words in (("voc", "dog"), ("clothing", "shirt"), ("cars", "bus")):
        file = "voc2008_test" if name == "voc" else "test"
        write_dataset(root, f"{name}/{file}.json", [(1, words, colour), (2, words, {})], (words,))
    write_dataset(
        root, "coco_small/instances.json", [(1, "kite", {}), (2, "dog", {})], ("kite", "dog")
    )
    texts = [(1, "a dog held out"), (2, "a dog"), (2, "a furry dog"), (3, "a car")]
    write_json(
        root / "voc/captions2008_train.json",
        {
            "images": [{"id": n, "file_name": f"images/voc2008_train_{n}.jpg"} for n in (1, 2, 3)],
            "annotations": [
                {"id": n, "image_id": image, "caption": text}
                for n, (image, text) in enumerate(texts)
            ],
        },
    )
    flickr = tmp_path_factory.mktemp("flickr8k")
    for name in ("a", "b", "c"):
        write_image(flickr / f"images/{name}.jpg")
    (flickr / "images.csv").write_text(
        "image,width,split\na.jpg,60,train\nb.jpg,60,test\nc.jpg,60,\n"
    )
    (flickr / "captions.txt").write_text("a.jpg\ta boat .\nb.jpg\ta test .\nc.jpg\ta bird .\n")
    coco128 = tmp_path_factory.mktemp("coco128")
    for name in ("instances", "instances_val"):
        write_dataset(coco128, f"{name}.json", [(1, "car", {}), (2, "kite", {})], ("car", "kite"))
    (coco128 / "images_val").mkdir()
    for photo in coco128.glob("images/instances_val_*"):
        photo.rename(coco128 / "images_val" / photo.name)
    return root, flickr, coco128


@pytest.fixture(scope="module")
def output(sources, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_photo_data(*sources, folder)
    return folder


def content(output, folder, split):
    return json.loads((output / folder / f"{split}.json").read_text())


def names(output, folder, split):
    return [image["file_name"] for image in content(output, folder, split)["images"]]


def voc(year, *ids):
    return [f"voc/images/voc{year}_train_{n}.jpg" for n in ids]


def test_every_tenth_photo_of_a_file_is_kept_for_validation(output):
    trained = [n for n in PHOTOS if n not in HELD_OUT]
    assert names(output, "detection", "train") == voc(2008, *trained) + voc(2007, 9)
    assert names(output, "detection", "val") == voc(2008, *HELD_OUT) + voc(2007, 7)


def test_records_have_ids_of_the_joined_file(output):
    made = content(output, "detection", "train")
    assert [image["id"] for image in made["images"]] == list(range(1, len(made["images"]) + 1))
    assert made["images"][0] == {
        "id": 1,
        "file_name": voc(2008, 2)[0],
        "width": 60,
        "height": 40,
    }
    ids = {category["name"]: category["id"] for category in made["categories"]}
    assert ids.keys() == {"dog", "car"}
    boxes = {(box["image_id"], box["category_id"]): box for box in made["annotations"]}
    assert len(boxes) == len(made["annotations"]) == len(PHOTOS) - 2 + 2 + 1
    assert [box["id"] for box in made["annotations"]] == list(range(1, len(boxes) + 1))
    dog, difficult, crowd = boxes[1, ids["dog"]], boxes[1, ids["car"]], boxes[2, ids["car"]]
    assert dog["bbox"] == [2, 2, 10, 20]
    assert dog["attributes"] == {"furry": 1, "shiny": 0}
    assert (dog["difficult"], dog["iscrowd"]) == (0, 0)
    assert (difficult["difficult"], crowd["iscrowd"]) == (1, 1)
    assert "attributes" not in difficult


def test_attributes_have_the_boxes_with_labels_alone(output):
    train, val = (names(output, "attributes", split) for split in ("train", "val"))
    assert train == [
        *voc(2008, *(n for n in PHOTOS if n not in HELD_OUT)),
        "cars/images/train_4.jpg",
    ]
    assert val == [*voc(2008, *HELD_OUT), "clothing/images/train_1.jpg", "cars/images/train_3.jpg"]
    assert all(box["attributes"] for box in content(output, "attributes", "train")["annotations"])


def test_objects_have_all_photos_of_coco_besides(output):
    coco = [f"coco_small/images/instances_{n}.jpg" for n in (1, 2)]
    assert names(output, "objects", "train") == names(output, "detection", "train") + coco
    assert names(output, "objects", "val") == names(output, "detection", "val")
    # photos of VOC have no box for what COCO names beyond VOC's categories
    detection = content(output, "detection", "train")
    voc_names = [category["name"] for category in detection["categories"]]
    assert "labelled_categories" not in detection
    assert content(output, "objects", "train")["labelled_categories"] == voc_names


def test_the_folders_open_and_words_without_a_label_in_training_are_novel(output):
    vocabulary, images = open_dataset("custom", output / "attributes", "train")
    assert len(images) == len(PHOTOS) - 2 + 1
    categories, attributes = vocabulary.categories, vocabulary.attributes
    assert {word.name for word in categories if word.seen} == {"dog", "car"}
    assert {word.name for word in categories if not word.seen} == {"shirt", "cow"}
    assert {word.name for word in attributes if word.seen} == {"furry", "shiny", "red"}
    assert {word.name for word in attributes if not word.seen} == {"spotted"}
    columns = [vocabulary.attribute_index[name] for name in ("furry", "shiny", "red")]
    assert images[0].attributes[0, columns].tolist() == [1, 0, UNKNOWN]
    assert images[-1].attributes[0, columns].tolist() == [UNKNOWN, UNKNOWN, 1]


def test_captions_leave_out_what_is_tested_or_validated_on(output):
    folder = output / "captions"
    found = load_captions(folder / "captions.json", folder / "images")
    assert {(image.file.removeprefix(f"{folder}/images/"), *image.captions) for image in found} == {
        ("flickr8k/a.jpg", "a boat ."),
        ("flickr8k/c.jpg", "a bird ."),
        ("photos/voc/images/voc2008_train_2.jpg", "a dog", "a furry dog"),
        ("photos/voc/images/voc2008_train_3.jpg", "a car"),
    }


def words(output, folder, seen):
    """Categories and attributes of a test folder that are base words, or novel ones."""
    vocabulary, _ = open_dataset("custom", output / folder, "test")
    kinds = (vocabulary.categories, vocabulary.attributes)
    return [{word.name for word in kind if word.seen is seen} for kind in kinds]


def test_test_folders_hold_all_photos_and_the_training_says_which_words_are_base(output):
    assert names(output, "test_voc", "test") == [f"voc/images/voc2008_test_{n}.jpg" for n in (1, 2)]
    assert words(output, "test_voc", True) == [{"dog"}, {"red"}]
    # garments have no box in "detection"
    assert words(output, "test_clothing", True) == [set(), {"red"}]
    assert words(output, "test_clothing", False) == [{"shirt"}, set()]
    assert words(output, "test_cars", False) == [{"bus"}, set()]


def test_both_halves_of_coco128_are_one_test(output):
    assert names(output, "test_coco128", "test") == [
        *(f"images/instances_{n}.jpg" for n in (1, 2)),
        *(f"images_val/instances_val_{n}.jpg" for n in (1, 2)),
    ]
    assert words(output, "test_coco128", True) == [{"car"}, set()]
    assert words(output, "test_coco128", False) == [{"kite"}, set()]


def test_it_can_be_written_again(sources, output):
    files = sorted(output.rglob("*.json"))
    before = [file.read_bytes() for file in files]
    write_photo_data(*sources, output)
    assert [file.read_bytes() for file in files] == before


def test_a_quick_run_takes_a_part_of_every_file_evenly(sources, tmp_path):
    write_photo_data(*sources, tmp_path, photos=4)
    # of the photos 1 to 12 of 2008 every third, of which the first is held out
    assert names(tmp_path, "detection", "train") == voc(2008, 4, 7, 10) + voc(2007, 9)
    assert names(tmp_path, "detection", "val") == voc(2008, 1) + voc(2007, 7)
    write_photo_data(*sources, tmp_path, photos=2)
    assert names(tmp_path, "detection", "train") == voc(2008, 7) + voc(2007, 9)
    captions = json.loads((tmp_path / "captions" / "captions.json").read_text())
    assert len(captions["images"]) == 2
    assert {caption["image_id"] for caption in captions["annotations"]} == {1, 2}


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("photos/voc/voc2007_train.json", r"voc2007_train\.json: no such file"),
        ("photos/cars/train.json", r"cars/train\.json: no such file"),
        ("flickr8k/images", r"images: no such folder; see docs/photos\.md"),
        ("flickr8k/images.csv", r"images\.csv: no such file"),
        ("coco128/instances_val.json", r"instances_val\.json: no such file"),
        ("flickr8k/captions.txt", r"captions\.txt: no such file"),
    ],
)
def test_what_is_missing_is_one_line(sources, tmp_path, missing, message):
    folders = [tmp_path / name for name in ("photos", "flickr8k", "coco128")]
    for source, folder in zip(sources, folders, strict=True):
        shutil.copytree(source, folder)
    (tmp_path / missing).rename(tmp_path / "moved away")
    with pytest.raises(InputError, match=message) as error:
        write_photo_data(*folders, tmp_path / "out")
    assert "\n" not in str(error.value)
