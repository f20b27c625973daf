"""The tables of the report, from metrics.json files written by hand."""

import pytest
from report_objects import written_metrics

from ovarnet.scenes.report import tables
from ovarnet.scenes.report.tables import Table


@pytest.fixture
def metrics(tmp_path):
    return lambda *numbers: written_metrics(tmp_path / "metrics.json", *numbers)


def test_best_is_bold_equals_share_it_and_chance_does_not_compete():
    table = Table(
        "T",
        "N.",
        [("a", "base"), ("a", "novel"), ("b", "")],
        {"chance": [99.0, 0.0, 1.0], "one": [50.04, float("nan"), 3.0], "two": [49.96, 7.0, 2.0]},
        plain={"chance"},
    )
    assert table.cells() == {
        "chance": [("99.0", False), ("0.0", False), ("1.0", False)],
        "one": [("50.0", True), ("–", False), ("3.0", True)],
        "two": [("50.0", True), ("7.0", False), ("2.0", False)],
    }  # a lone number is no winner
    assert table.markdown() == (
        "**T.** N.\n\n| | a, base | a, novel | b |\n|---|---:|---:|---:|\n| chance | 99.0 | 0.0 | "
        "1.0 |\n"
        "| one | **50.0** | – | **3.0** |\n| two | **50.0** | 7.0 | 2.0 |\n"
    )
    page = table.html()
    assert '<th colspan="2" class="start">a</th><th colspan="1" class="start">b</th>' in page
    assert (
        '<td class="start"><b>50.0</b></td><td class="novel">–</td><td '
        'class="start"><b>3.0</b></td>' in page
    )
    assert "<tr class=plain><th>chance</th>" in page


def test_words_of_users_cannot_break_the_page():
    assert "<th>&lt;b&gt;</th>" in Table("T", "", [("x", "")], {"<b>": [1.0]}).html()


def test_tables_of_a_chain(metrics):
    models = {"CLIP-Attr, step II": metrics(0.5, 0.4), "OvarNet": metrics(0.25, 0.8, 0.5)}
    given = tables.box_given(models)
    assert given.columns[0] == ("category accuracy", "base")
    assert given.columns[4] == (
        "attribute mAP",
        "novel",
    )
    assert list(given.rows) == ["chance", "CLIP-Attr, step II", "OvarNet"]
    assert [given.rows[name][0] for name in given.rows] == [2.5, 50, 25]
    assert [given.rows[name][4] for name in given.rows] == pytest.approx([17.2, 40, 80])
    free = tables.box_free(models)
    assert [free.rows["OvarNet"][column] for column in (1, 4, 7)] == [50, 31, 30]
    types = tables.parent_types(models)
    assert types.columns == [("attribute mAP by parent type", "color")]
    assert types.rows["chance"] == [9]
    assert tables.proposals(models).rows["OvarNet"][0] == 98.7
    speed = tables.speed({"CLIP-Attr, step II": 30.0, "OvarNet": 12.0}, 30)
    assert speed.rows == {"CLIP-Attr, step II": [30, 1], "OvarNet": [12, 2.5]}
