import json

import pytest
from PIL import Image

from ovarnet.data.lsa import load_lsa, lsa_vocabulary
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.structures import NEGATIVE, NO_CATEGORY, POSITIVE, UNKNOWN
from ovarnet.vocabulary import Vocabulary

WORDS = Vocabulary.of(["dog"], ["red", "leaning on fence", "old"])
FILES = {
    "vg": "VG_100K/77.jpg",
    "flickr": "36979.jpg",
    "coco": "000000000139.jpg",
    "oi": "00a1b2.jpg",
}


def thing(box, attributes=("red",), instance="1", name="dog", **more):
    return {
        "instance_id": instance,
        "object": name,
        "attributes": list(attributes),
        "box": list(box),
        "ground": "box",
        **more,
    }


@pytest.fixture
def folders(tmp_path):
    for source, name in FILES.items():
        (tmp_path / source / name).parent.mkdir(parents=True)
        Image.new("RGB", (60, 40)).save(tmp_path / source / name)
    return {source: tmp_path / source for source in FILES}


def written(folders, records):
    path = folders["vg"].parent / "train.json"
    path.write_text(json.dumps(records))
    return path


def test_four_sources_and_box_encodings(folders):
    file = written(
        folders,
        [
            {
                "image_id": "coco_139",
                "objects": [
                    thing([1, 2, 11, 22], ["red", "leaning on fence"]),
                    thing([-1, -1, -1, -1], instance="2", name="sky", ground="none"),
                ],
            },
            {
                "image_id": "flickr_36979",
                "objects": [thing([0.5, 0.25, 1.0, 0.75], ground="mousetrace")],
            },
            {
                "image_id": "oi_00a1b2",
                "objects": [
                    {
                        key: value
                        for key, value in thing([3, 4, 10, 10]).items()
                        if key != "instance_id"
                    }
                ],
            },
        ],
    )
    coco, flickr, oi = load_lsa(file, folders, WORDS)
    assert (coco.image_id, coco.height, coco.width, coco.file) == (
        "coco_139",
        40,
        60,
        str(folders["coco"] / "000000000139.jpg"),
    )
    assert coco.boxes.tolist() == [[1, 2, 11, 22], [0, 0, 60, 40]]
    assert coco.categories.tolist() == [0, NO_CATEGORY]
    assert coco.attributes.tolist() == [[POSITIVE, POSITIVE, UNKNOWN], [POSITIVE, UNKNOWN, UNKNOWN]]
    assert flickr.boxes.tolist() == [[30, 10, 60, 30]]
    assert oi.instance_ids == ["oi_00a1b2:0"]
    assert next(iter(load_lsa(file, folders, WORDS, NEGATIVE))).attributes.tolist()[0] == [
        POSITIVE,
        POSITIVE,
        NEGATIVE,
    ]


def test_objects_whose_instance_id_is_null_are_told_apart(folders):
    objects = [thing([1, 2, 11, 22], instance=None), thing([3, 4, 10, 10], instance=None)]
    (image,) = load_lsa(
        written(folders, [{"image_id": "coco_139", "objects": objects}]), folders, WORDS
    )
    assert image.instance_ids == ["coco_139:0", "coco_139:1"]


@pytest.mark.parametrize(
    ("box", "read_as", "form"),
    [
        (
            [30, 20, 25, 15],
            [30, 20, 55, 35],
            "x, y, width, height: of 1, 1 are impossible as corners and 0 as x, y",
        ),
        (
            [30, 20, 55, 35],
            [30, 20, 55, 35],
            "corners: of 1, 0 are impossible as corners and 1 as x, y",
        ),
        (
            [5, 5, 20, 20],
            [5, 5, 20, 20],
            "corners: of 1, 0 are impossible as corners and 0 as x, y",
        ),  # both possible: as the release says
    ],
)
def test_the_form_of_visual_genome_boxes_is_found_from_the_data(
    folders, caplog, box, read_as, form
):
    file = written(
        folders,
        [
            {"image_id": "vg_77", "objects": [thing(box)]},
            {"image_id": "coco_139", "objects": [thing([1, 2, 11, 22])]},
        ],
    )
    with caplog.at_level("INFO"):
        vg, coco = load_lsa(file, folders, WORDS)
    assert vg.boxes.tolist() == [read_as]
    assert coco.boxes.tolist() == [[1, 2, 11, 22]]
    assert form in caplog.text


def test_everything_left_out_is_counted(folders):
    del folders["oi"]
    file = written(
        folders,
        [
            {
                "image_id": "coco_139",
                "objects": [
                    thing([1, 2, 11, 22], ["red", "nameless"]),
                    thing([1, 2, 11, 22]),
                    thing([9, 9, 2, 2], instance="3"),
                    thing([1, 2, 3], instance="4"),
                    thing([70, 0, 90, 9], instance="5"),
                    {"box": [0, 0, 9, 9]},
                ],
            },
            {"image_id": "oi_00a1b2", "objects": []},
            {"image_id": "coco_1", "objects": []},
            {"image_id": "sun_1", "objects": []},
            {"image_id": 5, "objects": []},
        ],
    )
    skipped = Skipped()
    (image,) = load_lsa(file, folders, WORDS, skipped=skipped)
    assert image.instance_ids == ["1"]
    assert skipped.counts == {
        "attribute not in the vocabulary": 1,
        "instance_id twice in one image": 1,
        "box has no area": 1,
        "box is not four finite numbers": 1,
        "box lies outside the image": 1,
        "object without a list of attributes": 1,
        "no image folder given for oi": 1,
        "image file missing": 1,
        "image_id does not begin with one of vg, flickr, coco, oi": 1,
        "record without image_id or objects": 1,
    }


def test_files_that_cannot_be_used(folders):
    with pytest.raises(InputError, match="image id coco_139 occurs 2 times"):
        load_lsa(written(folders, [{"image_id": "coco_139", "objects": []}] * 2), folders, WORDS)
    with pytest.raises(InputError, match="none of its 1 images"):
        load_lsa(written(folders, [{"image_id": "coco_9", "objects": []}]), folders, WORDS)


def test_clear_values_of_other_types_are_read(folders):
    objects = [
        thing(["1", 2, 11.0, "22"], instance=7.0),
        thing([3, 4, 10, 10], instance=True, name=None),
        thing([5, 5, 5 + 1e-7, 9], instance="x"),
    ]
    skipped = Skipped()
    file = written(folders, [{"image_id": "coco_139", "objects": objects}])
    (image,) = load_lsa(file, folders, WORDS, skipped=skipped)
    assert image.instance_ids == ["7", "coco_139:1"]
    assert image.boxes.tolist() == [[1, 2, 11, 22], [3, 4, 10, 10]]
    assert image.categories.tolist() == [0, NO_CATEGORY]
    assert image.labelled_categories.tolist() == [False]
    assert skipped.counts == {"box has no area": 1}


def as_file(path, content):
    path.write_text(json.dumps(content))
    return path


def test_from_lsa(tmp_path):
    content = {
        "common2": {"in front of door": 2},
        "common1": {"red": 1, "tall": 0},
        "common1_len": 2,
        "common2_len": 1,
    }
    vocabulary = lsa_vocabulary(as_file(tmp_path / "c.json", content))
    assert vocabulary.attribute_names == [
        "tall",
        "red",
        "in front of door",
    ]  # by id; base and novel by the NAME of the group
    assert vocabulary.attribute_seen.tolist() == [True, True, False]
    for wrong, message in (
        (({"a": {"x": 0}}), r"groups are \['a'\]"),
        ({"base": {"x": 0}, "novel": {"x": 1}}, "both base and novel"),
        ({"base": {"x": 0}, "novel": {"y": 0}}, "each used once"),
        ({"base": {" ": 0}}, r"w\.json: word ' ' has an empty"),
    ):
        with pytest.raises(InputError, match=message):
            lsa_vocabulary(as_file(tmp_path / "w.json", wrong))
