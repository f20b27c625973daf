import pytest
from dataset_files import write_image

from ovarnet.data.yolo import load_yolo, read_yolo, yolo_splits
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.vocabulary import Vocabulary

WORDS = Vocabulary.of(["shirt", "dress"], [])
YAML = "names: [shirt, dress]\ntrain: images/train\nval: images/val\nnc: 2\n"


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def yolo(tmp_path):
    """a with a box and a polygon, b without lines, c without a file."""
    written(tmp_path / "data.yaml", YAML)
    for name in "abc":
        write_image(tmp_path / f"images/train/{name}.jpg")
    written(
        tmp_path / "labels/train/a.txt",
        "1 0.5 0.5 0.5 0.25\n\n0 0.1 0.25 0.5 0.75 0.2 0.5\n",
    )
    written(tmp_path / "labels/train/b.txt", "")
    return tmp_path


def test_centres_and_polygons_become_boxes_in_pixels(yolo):
    skipped = Skipped()
    image, *background = load_yolo(yolo, "train", WORDS, skipped)
    assert not skipped
    assert (image.image_id, image.height, image.width) == ("images/train/a.jpg", 40, 60)
    assert image.boxes.tolist() == [[15, 15, 45, 25], [6, 10, 30, 30]]
    assert image.categories.tolist() == [1, 0]
    assert image.instance_ids == ["images/train/a.jpg:1", "images/train/a.jpg:3"]
    assert [(other.image_id, len(other)) for other in background] == [
        ("images/train/b.jpg", 0),
        ("images/train/c.jpg", 0),
    ]
    assert yolo_splits(yolo) == ["train", "val"]


@pytest.mark.parametrize(
    "text",
    [
        "names: {1: dress, 0: shirt}\ntrain: [images/train]\n",
        "names:\n- shirt\n- dress\npath: ../elsewhere\ntrain: ../images/train\n",
        "names: [shirt, dress]\ntrain: list.txt\n",
        "names: [shirt, dress]\npath: images\ntrain: train\n",
    ],
)
def test_forms_of_data_yaml(yolo, text):
    written(yolo / "data.yaml", text)
    written(yolo / "list.txt", "./images/train/a.jpg\nimages/train/b.jpg\n")
    found = load_yolo(yolo, "train", WORDS)
    assert found[0].categories.tolist() == [1, 0]
    assert len(found) == (2 if "list" in text else 3)


def test_labels_beside_the_image(tmp_path):
    written(tmp_path / "data.yaml", "names: [shirt, dress]\ntest: test\n")
    write_image(tmp_path / "test/a.png")
    written(tmp_path / "test/a.txt", "0 0.5 0.5 1 1\n")
    (image,) = load_yolo(tmp_path, "test", WORDS)
    assert image.boxes.tolist() == [[0, 0, 60, 40]]


def test_everything_left_out_is_noted_with_its_line(yolo):
    lines = [
        "0 0.5 0.5 0.5 0.5",
        "2 0.5 0.5 0.5 0.5",
        "shirt 0.5 0.5 0.5 0.5",
        "0 0.5 0.5 0.5",
        "0 0.5 0.5 0.5 0.5 0.9",
        "0 30 20 10 10",
        "0 0.5 0.5 0 0.5",
        "0 a b c d",
    ]
    written(yolo / "labels/train/a.txt", "\n".join(lines))
    (yolo / "labels/train/b.txt").write_bytes(b"\xff\xff")
    (yolo / "images/train/c.jpg").write_bytes(b"x")
    skipped = Skipped()
    (image,) = load_yolo(yolo, "train", WORDS, skipped)
    assert image.boxes.tolist() == [[15, 10, 45, 30]]
    assert skipped.counts == {
        "number of a category that data.yaml does not name": 2,
        "line is neither a number and a box nor a number and a polygon": 3,
        "numbers outside 0..1; write fractions of the image": 1,
        "box has no area": 1,
        "label file unreadable": 1,
        "image unreadable": 1,
    }
    assert skipped.items["number of a category that data.yaml does not name"] == [
        "labels/train/a.txt line 2: 2",
        "labels/train/a.txt line 3: shirt",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: images/train", "needs 'names'"),
        ("names: shirt", "needs 'names'"),
        ("[]", "needs 'names'"),
        ("names: [shirt, shirt]\ntrain: images/train", "names has 1: 'shirt'"),
        ("names: {a: shirt}\ntrain: images/train", "names has 'a': 'shirt'"),
        ("names: [shirt]\nval: images", "names no images under 'train'"),
        ("names: [shirt]\nnames: [dress]", "the key 'names' occurs twice"),
    ],
)
def test_data_yaml_that_cannot_be_used(yolo, text, message):
    written(yolo / "data.yaml", text)
    with pytest.raises(InputError, match=message):
        read_yolo(yolo, "train", Skipped())
