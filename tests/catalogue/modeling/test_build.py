"""Networks from settings, and what is refused."""

import pytest
import torch
from tiny_bert import TITLES, tiny_bert

from ovarnet.catalogue.modeling.build import build_network, check_tasks, patch_layout, start_bert
from ovarnet.config.catalogue_bert import Encoder, MatcherDesign
from ovarnet.errors import InputError


def test_layouts():
    assert patch_layout("kaleido", 8).count == 55
    assert patch_layout("grid", 4).count == 16


def test_from_nothing_and_from_a_folder(tmp_path):
    bert, tokenizer = start_bert(Encoder(hidden=16, heads=2, layers=1), TITLES)
    assert (bert.hidden, len(bert.layers), bert.feed_forward) == (16, 1, 64)
    assert len(bert.tokens.weight) == tokenizer.size
    tiny_bert(tmp_path)
    bert, tokenizer = start_bert(Encoder(start=str(tmp_path), layers=1), TITLES)
    assert (bert.hidden, len(bert.layers), bert.heads) == (16, 1, 2)
    with pytest.raises(InputError, match=r"encoder\.tokens is 64"):
        start_bert(Encoder(start=str(tmp_path), layers=1, tokens=64), TITLES)


def test_a_design_builds_the_same_network_again():
    design = MatcherDesign(
        tasks=["match"],
        network="scenes-clip-attr",
        side=64,
        digest="a",
        features=6,
        vocabulary=20,
        hidden=8,
        layers=1,
        heads=2,
        feed_forward=16,
        positions=16,
        tokens=16,
    )
    first, again = build_network(design), build_network(design)
    again.load_state_dict(first.state_dict())
    assert torch.equal(again.encoder.bert.tokens.weight, first.encoder.bert.tokens.weight)
    assert len(first.encoder.patches.project) == 5


def test_refusals():
    with pytest.raises(InputError, match="rotation need patches=kaleido"):
        check_tasks("grid", ["match", "rotation"])
    with pytest.raises(InputError, match="occurs twice"):
        check_tasks("kaleido", ["match", "match"])
    with pytest.raises(InputError, match="3 heads do not divide"):
        start_bert(Encoder(hidden=16, heads=3), TITLES)
