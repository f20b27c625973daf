"""The base / novel protocol on photos: its data, its commands, its table."""

import json
from pathlib import Path

import pytest
from PIL import Image

from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.io.word_files import read_vocabulary, write_vocabulary
from ovarnet.photos.protocol import (
    COLUMNS,
    measures,
    protocol_table,
    run_protocol,
    without_novel,
    write_words,
)
from ovarnet.photos.protocol_steps import BOX_FREE, ORACLE, ROWS, ZERO_SHOT, ProtocolSteps
from ovarnet.splits import APASCAL_NOVEL_16, VOC_NOVEL_5
from ovarnet.vocabulary import Vocabulary, Word

CONFIGS = Path(__file__).parents[2] / "configs" / "photos"


def seen(*names):
    return tuple(Word(name, seen=True) for name in names)


WORDS = Vocabulary(seen("bird", "cat"), seen("furry", "red"))


def box(number, category, attributes):
    return {
        "id": number,
        "image_id": 1,
        "category_id": category,
        "bbox": [1, 1, 5, 5],
        "attributes": attributes,
    }


@pytest.fixture
def data(tmp_path):
    """A photo with a bird and a cat, in every folder."""
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 20, "height": 20}],
        "categories": [{"id": 1, "name": "bird"}, {"id": 2, "name": "cat"}],
        "annotations": [box(1, 1, {"red": 1}), box(2, 2, {"red": 0, "furry": 1})],
    }
    for name in ("detection", "attributes", "test_voc", "test_coco128"):
        folder = tmp_path / "data" / name
        (folder / "images").mkdir(parents=True)
        Image.new("RGB", (20, 20)).save(folder / "images" / "a.jpg")
        for split in ("train", "test"):
            (folder / f"{split}.json").write_text(json.dumps(content))
        write_vocabulary(folder / "vocabulary.json", WORDS)
    return tmp_path / "data"


def test_the_split_has_the_sizes_that_its_name_says():
    assert (len(VOC_NOVEL_5), len(APASCAL_NOVEL_16)) == (5, 16)


def test_a_novel_word_has_no_box_and_no_label_in_training(data, tmp_path):
    write_words(data, tmp_path / "base", hide_novel=True)
    words, (image,) = open_dataset("custom", str(tmp_path / "base" / "detection"), "train")
    assert [(word.name, word.seen) for word in words.categories] == [("bird", False), ("cat", True)]
    assert [(word.name, word.seen) for word in words.attributes] == [
        ("furry", False),
        ("red", True),
    ]
    assert image.categories.tolist() == [1]
    assert image.attributes.tolist() == [[2, 0]]  # red is wrong; furry is unknown

    write_words(data, tmp_path / "all", hide_novel=False)
    _, (image,) = open_dataset("custom", str(tmp_path / "all" / "detection"), "train")
    assert image.categories.tolist() == [0, 1]
    # both rows are evaluated by the same groups of words
    for row in ("base", "all"):
        words = read_vocabulary(tmp_path / row / "test_voc" / "vocabulary.json")
        assert words == without_novel(WORDS)


def test_words_are_written_twice_with_the_same_result(data, tmp_path):
    for _ in range(2):
        write_words(data, tmp_path / "base", hide_novel=True)
    assert {file.name for file in (tmp_path / "base" / "detection").iterdir()} == {
        "images",
        "test.json",
        "train.json",
        "vocabulary.json",
    }


def test_a_row_that_does_not_exist(tmp_path):
    with pytest.raises(InputError, match="no row contains step 3; the rows are: no labels"):
        run_protocol(tmp_path, tmp_path, tmp_path, 1, ["step 3"], print)


def test_the_table_by_hand(tmp_path):
    """Values are 0.10 and 0.20 for base words' labels, 0.50 and 0.50 for all."""
    steps = ProtocolSteps(Path("configs"), tmp_path)
    for row, values in {ZERO_SHOT: (0.1, 0.2), ORACLE: (0.5, 0.5)}.items():
        for seed, value in enumerate(values):
            for _, test, measure, group in COLUMNS:
                if test == BOX_FREE and seed:
                    continue
                file = steps.metrics(row, seed, test)
                file.parent.mkdir(parents=True, exist_ok=True)
                content = json.loads(file.read_text()) if file.exists() else {"rows": []}
                chance = None if test == BOX_FREE else 0.05
                content["rows"].append(
                    {"measure": measure, "group": group, "value": value, "chance": chance}
                )
                file.write_text(json.dumps(content))
    lines = protocol_table(steps, seeds=2).splitlines()
    # AP50 is of the first seed alone, and has no chance level
    assert lines[2] == "| chance |" + " 5.0 |" * 6 + " – |" * 2
    assert lines[3] == f"| {ZERO_SHOT.title} |" + " 15.0 ± 7.1 |" * 6 + " 10.0 |" * 2
    assert lines[4] == f"| {ORACLE.title} |" + " 50.0 ± 0.0 |" * 6 + " 50.0 |" * 2
    assert len(lines) == 5, "the other rows have not been run"
    assert measures(steps, ROWS[0], 0) == {}
