"""Every value of every annotation file replaced by junk: a loader then gives one line that says
what is wrong, or goes on and notes what it has left out. Nothing else may happen: no other
exception, no silent loss."""

import copy
import json

import pytest
from PIL import Image

from ovarnet.data.captions import load_captions
from ovarnet.data.coco import load_coco
from ovarnet.data.custom import load_custom
from ovarnet.data.lsa import load_lsa
from ovarnet.data.ovad import load_ovad
from ovarnet.data.vaw import load_vaw
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.structures import UNKNOWN
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary.of([Word("dog", seen=True), "cat"], [Word("red", seen=True), "wet"])
COCO_IMAGES = [
    {
        "id": n,
        "file_name": f"{n:012d}.jpg",
        "height": 40,
        "width": 60,
        "license": 1,
        "date_captured": "x",
    }
    for n in (1, 2)
]
COCO_CATEGORIES = [
    {"id": 17, "name": "cat", "supercategory": "animal"},
    {"id": 18, "name": "dog", "supercategory": "animal"},
]
COCO_BOXES = [
    {
        "id": 10 + n,
        "image_id": n,
        "category_id": 16 + n,
        "bbox": [1, 2, 10.5, 20],
        "area": 210.0,
        "iscrowd": 0,
        "segmentation": [[1, 2, 11, 2, 11, 22]],
    }
    for n in (1, 2)
]
FILES = {
    "coco": {
        "info": {},
        "licenses": [],
        "images": COCO_IMAGES,
        "annotations": COCO_BOXES,
        "categories": COCO_CATEGORIES,
    },
    "captions": {
        "images": COCO_IMAGES,
        "annotations": [{"id": 20 + n, "image_id": n, "caption": f"dog {n}"} for n in (1, 2)],
    },
    "vaw": [
        {
            "image_id": str(n),
            "instance_id": f"{n}004",
            "instance_bbox": [1.0, 2.0, 10.0, 20.0],
            "instance_polygon": [[[1, 2], [3, 4]]],
            "object_name": "dog",
            "positive_attributes": ["red"],
            "negative_attributes": ["wet"],
        }
        for n in (1, 2)
    ],
    "lsa": [
        {
            "image_id": f"coco_{n}",
            "objects": [
                {
                    "instance_id": f"{n}1",
                    "object": "dog",
                    "attributes": ["red"],
                    "box": [1, 2, 11, 22],
                    "ground": "box",
                }
            ],
        }
        for n in (1, 2)
    ],
    "ovad": {
        "info": {},
        "licenses": [],
        "images": COCO_IMAGES,
        "categories": [
            {"supercategory": "animal", "isthing": 1, "id": 17, "name": "cat", "ov_set": "novel"},
            {"supercategory": "animal", "isthing": 1, "id": 18, "name": "dog", "ov_set": "base"},
        ],
        "attributes": [
            {
                "id": n,
                "name": f"color:{name}",
                "type": "color",
                "parent_type": "color",
                "is_has_att": "is",
                "freq_set": "head",
            }
            for n, name in enumerate(("red", "wet/damp"))
        ],
        "annotations": [
            {
                **{key: value for key, value in box.items() if key != "segmentation"},
                "att_vec": [1, 0],
            }
            for box in COCO_BOXES
        ],
    },
    "custom": {
        "images": [
            {"id": n, "file_name": f"{n:012d}.jpg", "height": 40, "width": 60} for n in (1, 2)
        ],
        "categories": COCO_CATEGORIES,
        "unlisted_attributes": "unknown",
        "annotations": [
            {
                "id": 10 + n,
                "image_id": n,
                "category_id": 16 + n,
                "bbox": [1, 2, 10.5, 20],
                "attributes": {"red": 1, "wet": 0},
            }
            for n in (1, 2)
        ],
    },
}
JUNK = (None, "x", 7.5, -1, 10**400, True, [], {}, [None], {"a": []})
MAY_BE_EMPTY = {
    "annotations",
    "objects",
    "positive_attributes",
    "negative_attributes",
    "attributes",
}
"""An empty list of these is a statement, not junk."""
FREE = {"object_name", "object", "attributes", "unlisted_attributes", "category_id"}
"""A wrong one changes what is said, by the rules of the format: any word is a name, {} says
nothing, null is an unknown category."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for name in ("000000000001.jpg", "000000000002.jpg", "1.jpg", "2.jpg"):
        Image.new("RGB", (60, 40)).save(folder / name)
    return folder


def load(kind, file, folder, skipped):
    """(boxes or captions, known labels) that a loader gets out of a file."""
    if kind == "captions":
        return sum(len(image.captions) for image in load_captions(file, folder, skipped)), 0
    images = {
        "coco": lambda: load_coco(file, folder, WORDS, skipped),
        "vaw": lambda: load_vaw(file, folder, WORDS, skipped=skipped),
        "lsa": lambda: load_lsa(file, {"coco": folder}, WORDS, skipped=skipped),
        "ovad": lambda: load_ovad(file, folder, skipped)[1],
        "custom": lambda: load_custom(file, folder, WORDS, skipped),
    }[kind]()
    return sum(map(len, images)), sum(int((image.attributes != UNKNOWN).sum()) for image in images)


def places(value, path=()):
    """The path of every value inside a file."""
    for key, inner in (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    ):
        yield (*path, key)
        yield from places(inner, (*path, key))


def mutations(content):
    for path in places(content):
        for junk in JUNK:
            changed = copy.deepcopy(content)
            holder = changed
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = junk
            yield path, junk, changed
        del holder[path[-1]]
        yield path, "removed", changed


def outcome(kind, file, folder):
    """What was found and noted, or the message of the InputError."""
    skipped = Skipped()
    try:
        return load(kind, file, folder, skipped), skipped, ""
    except InputError as error:
        return None, skipped, str(error)


def is_stated(path, junk):
    """Whether the junk says something by the rules of the format."""
    return (
        (path[-1] in MAY_BE_EMPTY and not junk)
        or path[-1] in FREE
        or path[-2:-1] == ("attributes",)
        or (path[-2:-1] == ("att_vec",) and junk == -1)
        or junk == "removed"
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILES)
def test_junk_is_one_line_or_is_noted(kind, folder, tmp_path):
    file = tmp_path / "file.json"
    file.write_text(json.dumps(FILES[kind]))
    whole, clean, _ = outcome(kind, file, folder)
    assert not clean
    assert whole[0] == 2
    count = 0
    for path, junk, content in mutations(FILES[kind]):
        if not content:
            continue
        file.write_text(json.dumps(content))
        count += 1
        found, skipped, message = outcome(kind, file, folder)
        assert "\n" not in message + str(skipped)
        if found is None:
            assert str(file) in message, (path, junk)
        elif not is_stated(path, junk) and (found[0] < whole[0] or found[1] < whole[1]):
            assert skipped, (path, junk, found)
        assert all(reason and items for reason, items in skipped.items.items())
    assert count > 100


@pytest.mark.parametrize("kind", FILES)
def test_a_file_cut_anywhere_is_one_line(kind, folder, tmp_path):
    text, file = json.dumps(FILES[kind], indent=1), tmp_path / "file.json"
    for cut in range(0, len(text) - 1, 7):
        file.write_text(text[:cut])
        with pytest.raises(InputError, match=r"empty|truncated|top level") as raised:
            load(kind, file, folder, Skipped())
        assert "\n" not in str(raised.value)
        assert str(file) in str(raised.value)
