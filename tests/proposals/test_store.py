"""Proposals of many images, stored in shards."""

import shutil

import pytest
import torch
from clip_attr_runs import FixedProposer
from fake_model import picture
from torch import nn

from ovarnet.errors import InputError
from ovarnet.proposals.store import read_proposals, stored_proposals, write_proposals


@pytest.fixture
def images(tmp_path):
    return [str(picture(tmp_path / "images" / f"{index}.png", 70, 60)) for index in range(4)]


@pytest.fixture
def stored(images, tmp_path):
    folder = tmp_path / "proposals"
    assert write_proposals(FixedProposer(), images, folder, shard=3, limit=2) == 4
    return folder


def test_shards_keep_the_best_and_the_largest_and_are_resumed(stored, images):
    proposals = read_proposals(stored)
    assert list(proposals) == ["0.png", "1.png", "2.png", "3.png"]
    assert proposals["0.png"].boxes.tolist() == [[4, 4, 34, 24], [20, 24, 60, 54], [0, 0, 70, 60]]
    (stored / "00000.json").unlink()
    assert write_proposals(FixedProposer(), images, stored, shard=3, limit=2) == 3
    with pytest.raises(InputError, match="other images"):
        write_proposals(FixedProposer(), images[::-1], stored, shard=3, limit=2)


def test_proposals_that_may_show_novel_boxes_do_not_enter_training(images, tmp_path):
    class Torchvision(FixedProposer):
        provenance = "has seen all 80 COCO classes"

    folder = tmp_path / "torchvision"
    write_proposals(Torchvision(), images, folder)
    with pytest.raises(
        InputError,
        match=r"may bring boxes of novel categories into training \(has seen all 80 COCO classes\)",
    ):
        read_proposals(folder)
    with pytest.raises(InputError, match="holds proposals of another proposer"):
        write_proposals(FixedProposer(), images, folder)


def test_stored_proposals_serve_distillation_and_gaps_are_named(stored, images, tmp_path):
    found = stored_proposals([stored], ["somewhere/3.png"], 1)
    assert found["somewhere/3.png"].boxes.tolist() == [[4, 4, 34, 24]]
    lost = shutil.copy(images[3], tmp_path / "lost.png")
    with pytest.raises(InputError, match=r"no proposals of 1 of 2 images, such as .*lost\.png"):
        stored_proposals([stored], ["3.png", lost], 1)
    lost.write_bytes(lost.read_bytes()[:50])
    with pytest.raises(InputError, match=r"lost\.png.* cannot be (decoded|read)"):
        stored_proposals([stored], ["3.png", lost], 1)


def test_proposals_of_other_weights_or_another_limit_are_not_mixed(stored, images):
    class Weighted(FixedProposer, nn.Module):
        def __init__(self, weight):
            nn.Module.__init__(self)
            self.weight = nn.Parameter(torch.tensor(weight))

    with pytest.raises(InputError, match="made with --limit 2; give the same limit"):
        write_proposals(FixedProposer(), images, stored, shard=3, limit=3)
    folder = stored.parent / "weighted"
    write_proposals(Weighted(1.0), images[:2], folder)
    assert write_proposals(Weighted(1.0), images, folder) == 2
    with pytest.raises(InputError, match="holds proposals of another proposer"):
        write_proposals(Weighted(2.0), images, folder)


def test_proposals_without_a_note_of_their_origin_are_used_and_named(stored, caplog):
    (stored / "proposer.json").unlink()
    assert len(read_proposals(stored)) == 4
    assert "there is no proposer.json that says what proposed these boxes" in caplog.text
