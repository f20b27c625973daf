"""`find` against the whole phrase as one embedding: scores by hand, and a run on a few pictures."""

import json

import pytest
import torch

from ovarnet.cli import main as cli
from ovarnet.modeling.phrase_ranking import Evidence
from ovarnet.modeling.region_model import RegionEmbeddings
from ovarnet.scenes.ablations import find as benchmark
from ovarnet.scenes.ablations.find import ROWS, View, _ask, _score_of
from ovarnet.scenes.ablations.find_table import RULE
from ovarnet.scenes.world.write import write_world


def test_rows_keep_the_parts_they_name():
    evidence = Evidence(
        torch.tensor([0.5]),
        torch.tensor([[0.8]]),
        torch.tensor([[0.2, 0.1]]),
        torch.tensor([[0.4]]),
    )
    assert _score_of(evidence, "category").item() == pytest.approx(0.4**0.5)
    assert _score_of(evidence, "attributes").item() == pytest.approx((0.5 * 0.2 * 0.1) ** (1 / 3))
    assert _score_of(evidence, "phrase").item() == pytest.approx(0.2**0.5)


def test_the_best_region_counts_and_no_region_is_a_miss(monkeypatch):
    class Asked:
        def evidence(self, regions, known):
            one = torch.ones(len(regions.boxes), 1)
            return Evidence(regions.objectness, one, one, one)

    monkeypatch.setattr(benchmark, "ROWS", {RULE: lambda question: question.evidence.score()})
    hits = {name: {"found": []} for name in ("chance", RULE)}
    for objectness, right in (
        ([0.2, 0.9, 0.1], [False, True, True]),
        ([0.9, 0.2], [False, True]),
        ([], []),
    ):
        regions = RegionEmbeddings(
            torch.zeros(len(right), 4), torch.tensor(objectness), torch.zeros(len(right), 1)
        )
        _ask(
            Asked(),
            View(regions, (torch.zeros(0), torch.zeros(0))),
            torch.tensor(right, dtype=torch.bool),
            hits,
            "found",
        )
    assert hits[RULE]["found"] == [1, 0, 0]
    assert hits["chance"]["found"] == pytest.approx([2 / 3, 1 / 2, 0])


@pytest.mark.slow
def test_the_command_on_a_few_pictures(tmp_path, capsys):
    write_world(
        tmp_path / "world", {"train": 1, "val": 1, "test": 6, "captions": 1, "photos": 1}, seed=3
    )
    assert (
        cli.main(
            [
                "reproduce",
                "scenes",
                "--part",
                "find",
                "--root",
                str(tmp_path / "world"),
                "--output",
                str(tmp_path / "out"),
            ]
        )
        == 0
    )
    result = json.loads((tmp_path / "out/find.json").read_text())
    assert result["model"] == "scenes"
    assert result["split"] == "test"
    assert result["understood"] == 100
    assert result["phrases"]["given"]["all"] >= 5
    assert list(result["rank_1"]) == ["chance", *ROWS]
    assert result["rank_1"][RULE]["given"]["all"] > result["rank_1"]["chance"]["given"]["all"]
    assert capsys.readouterr().out == (tmp_path / "out/find.md").read_text()
