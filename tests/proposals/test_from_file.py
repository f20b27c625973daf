"""Precomputed proposals: both file forms, lookup by name, and one line for every fault."""

import json

import pytest
import torch

from ovarnet.build import open_proposer
from ovarnet.errors import InputError
from ovarnet.proposals.from_file import FileProposals

IMAGE = torch.zeros(3, 40, 60)


def written(tmp_path, content):
    path = tmp_path / "proposals.json"
    path.write_text(json.dumps(content))
    return path


def test_rows_by_image_best_first_clipped_and_without_empty_ones(tmp_path):
    proposals = FileProposals(
        written(
            tmp_path,
            {
                "a.jpg": [[0, 0, 10, 10, 0.2], [-5, 20, 90, 90, 0.9], [70, 0, 80, 10, 0.8]],
                "b.jpg": [],
            },
        )
    )
    a, b = proposals.propose([IMAGE, IMAGE], ["photos/a.jpg", "photos/b.jpg"])
    assert a.boxes.tolist() == [[0, 20, 60, 40], [0, 0, 10, 10]]
    assert a.scores.tolist() == pytest.approx([0.9, 0.2])
    assert b.boxes.shape == (0, 4)
    assert b.scores.shape == (0,)


def test_coco_results_by_number_or_by_name(tmp_path):
    entries = [
        {"image_id": 139, "bbox": [1, 2, 10, 20], "score": 0.5, "category_id": 1},
        {"image_id": 139, "bbox": [5, 5, 10, 10], "score": 0.75},
        {"file_name": "c.png", "bbox": [0, 0, 3, 4], "score": 1},
    ]
    first, second = FileProposals(written(tmp_path, entries)).propose(
        [IMAGE, IMAGE], ["val/000000000139.jpg", "c.png"]
    )
    assert first.boxes.tolist() == [[5, 5, 15, 15], [1, 2, 11, 22]]
    assert second.boxes.tolist() == [[0, 0, 3, 4]]


def test_provenance_names_the_file(tmp_path):
    assert FileProposals(written(tmp_path, {})).provenance == "precomputed, from proposals.json"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"bbox": [1, 2, 3, 4], "score": 1}], "entry 0 needs"),
        ([{"image_id": 1, "bbox": [1, 2, 3, 4]}], "entry 0 needs"),
        ([{"image_id": 1, "bbox": [1, 2, 3], "score": 1}], "entry 0 is"),
        ([{"image_id": 1, "bbox": "x", "score": 1}], "entry 0 is"),
        ([7], "entry 0 needs"),
        ({"a.jpg": [[1, 2, 3, 4]]}, "a.jpg, box 0"),
        ({"a.jpg": [[1, 2, 3, 4, 1], [1, 2, 3, 4, 1.5]]}, "a.jpg, box 1"),
        ({"a.jpg": [[1, 2, float("nan"), 4, 1]]}, "a.jpg, box 0"),
        ({"a.jpg": 3}, "a.jpg holds int"),
        ({"a.jpg": [[1, 2, 10**400, 4, 1]]}, "a.jpg, box 0"),
    ],
)
def test_faults_are_named(tmp_path, content, message):
    with pytest.raises(InputError, match=message):
        FileProposals(written(tmp_path, content))


def test_an_image_that_is_not_in_the_file_or_has_no_name(tmp_path):
    proposals = FileProposals(written(tmp_path, {"a.jpg": []}))
    with pytest.raises(InputError, match=r"no boxes for image b\.jpg"):
        proposals.propose([IMAGE], ["b.jpg"])
    with pytest.raises(InputError, match="give its path"):
        proposals.propose([IMAGE])


def test_a_folder_of_shards_and_the_model_it_serves(tmp_path):
    (tmp_path / "proposer.json").write_text('{"provenance": "x"}')
    (tmp_path / "00000.json").write_text('{"a.jpg": [[0, 0, 10, 10, 0.2]]}')
    (tmp_path / "00001.json").write_text('{"./b.jpg": []}')
    a, b = open_proposer(tmp_path).propose([IMAGE, IMAGE], ["photos/a.jpg", "photos/b.jpg"])
    assert a.boxes.tolist() == [[0, 0, 10, 10]]
    assert b.boxes.shape == (0, 4)
    (tmp_path / "00001.json").write_text('{"b.jpg": 3}')
    with pytest.raises(InputError, match=r"00001\.json: b\.jpg holds int"):
        open_proposer(tmp_path)


def test_a_proposer_that_does_not_exist_names_all_kinds():
    with pytest.raises(
        InputError,
        match=r"^proposer 'nope\.json' does not exist; give .*scenes.*, torchvision, .*checkpoint",
    ):
        open_proposer("nope.json")


def test_proposals_as_fractions_of_the_image_are_refused(tmp_path):
    (tmp_path / "p.json").write_text('{"a.jpg": [[0.1, 0.2, 0.5, 0.6, 0.9]]}')
    with pytest.raises(InputError, match=r"all boxes lie within 0\.\.1, as fractions of the image"):
        FileProposals(tmp_path / "p.json")


def test_an_image_named_twice_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"names image \./a\.jpg twice"):
        FileProposals(written(tmp_path, {"a.jpg": [], "./a.jpg": [[0, 0, 5, 5, 0.5]]}))
    (tmp_path / "proposals.json").write_text('{"a.jpg": [], "a.jpg": [[0, 0, 5, 5, 0.5]]}')
    with pytest.raises(InputError, match=r"proposals\.json.*a\.jpg"):
        FileProposals(tmp_path / "proposals.json")
