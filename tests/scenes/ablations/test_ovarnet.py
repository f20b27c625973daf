"""The OvarNet table: rows that the config knows, runs that go on where they were, and one real run
of the smallest size."""

import json
from pathlib import Path

import pytest

from ovarnet.cli.main import main
from ovarnet.config import load_config
from ovarnet.scenes.ablations.ovarnet import (
    ALIKE,
    ATTENTION,
    ATTENTION_NOT_DISTILLED,
    GROUPS,
    MAIN,
    MEASURES,
    NOT_DISTILLED,
    ROWS,
    SAME_BOXES,
    TABLES,
    TWO_STAGE,
    claims,
    write_table,
)

CONFIGS = Path(__file__).parents[3] / "configs" / "scenes"


def result(**values):
    return {f"{name} {group}": 50.0 for name in MEASURES for group in GROUPS} | values


@pytest.mark.slow
def test_every_row_has_a_name_of_its_own_and_changes_that_the_config_knows():
    assert len({row.name for row in ROWS} | {*TWO_STAGE.values(), SAME_BOXES}) == len(ROWS) + 3
    designs = {
        row.name: load_config(CONFIGS / "ovarnet.yaml", [*ALIKE, *row.changes]) for row in ROWS
    }
    assert designs[MAIN].design.head == "clip"
    assert designs[MAIN].distillation.kind == "probability"
    assert designs[ATTENTION].design.layers == designs[ATTENTION_NOT_DISTILLED].design.layers == 4
    assert designs[ATTENTION_NOT_DISTILLED].distillation.kind == "none"
    assert (
        designs["attributes alone"].loss_weights.categories
        == designs["attributes alone"].distillation.category_weight
        == 0
    )
    assert (
        designs["categories alone"].loss_weights.attributes
        == designs["categories alone"].distillation.attribute_weight
        == 0
    )


def test_claims_are_differences_and_shares_of_means():
    results = {
        TWO_STAGE[2]: [result(**{"AP50 novel": 40.0, "AR@100 base": 60.0})],
        NOT_DISTILLED: [result(**{"AP50 novel": 30.0, "AP50 base": 51.0})],
        MAIN: [
            result(**{"AP50 novel": 36.0}),
            result(**{"AP50 novel": 40.0, "mAP ovad novel": 52.0}),
        ],
    }
    text = "".join(claims(results))
    assert (
        "with CLIP's stages as head: AP50 novel +8.0, mAP ovad novel +1.0, AP50 base -1.0, mAP "
        "ovad base +0.0" in text
    )
    assert "AP50 novel 95 %, mAP ovad novel 102 %" in text
    assert "AR@100 base 50.0 / 60.0" in text
    assert claims({MAIN: [result()]}) == []
    [line] = claims(
        {ATTENTION: [result()], ATTENTION_NOT_DISTILLED: [result(**{"AP50 novel": 20.0})]}
    )
    assert line.startswith(
        "Distillation adds, in points, with attentional pooling, 4 layers: AP50 novel +30.0, mAP "
        "ovad novel +0.0"
    )


def test_the_tables_hold_every_column(tmp_path):
    text = write_table({MAIN: [result(), result()]}, tmp_path)
    assert (tmp_path / "table.md").read_text() == text
    assert text.count(f"| {MAIN} | 50.0 ± 0.0 |") == len(TABLES)


@pytest.mark.slow
def test_a_row_and_the_teacher_beside_it(tmp_path, monkeypatch, capsys):
    from ovarnet.scenes.ablations import ovarnet as table

    world, output = tmp_path / "world", tmp_path / "out"
    assert (
        main(
            [
                "generate",
                "scenes",
                "--root",
                str(world),
                "--train",
                "8",
                "--val",
                "1",
                "--test",
                "2",
                "--captions",
                "1",
                "--photos",
                "1",
                "--workers",
                "1",
            ]
        )
        == 0
    )
    monkeypatch.setattr(table.Sizes, "quick", lambda sizes: table.Sizes(1, 2, 8, 2, sizes.rows))
    shipped = str(Path(table.__file__).parents[2] / "weights" / "scenes-clip-attr")
    command = [
        "reproduce",
        "scenes",
        "--part",
        "ovarnet",
        "--quick",
        "--root",
        str(world),
        "--configs",
        str(CONFIGS),
        "--output",
        str(output),
        "--teacher-one",
        shipped,
        "--teacher-two",
        shipped,
        "--rows",
        MAIN,
        TWO_STAGE[2],
    ]
    assert main(command) == 0
    results = json.loads((output / "results.json").read_text())
    assert list(results) == [TWO_STAGE[2], MAIN, SAME_BOXES]
    assert set(results[MAIN]["0"]) == set(results[TWO_STAGE[2]]["0"]) == set(result())
    assert len(list((output / "cache").iterdir())) == 2, "proposals and answers of the teacher"
    monkeypatch.setattr(table.Ablation, "_measure", None)
    capsys.readouterr()
    assert main(command) == 0
    assert MAIN in capsys.readouterr().out
