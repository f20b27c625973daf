"""`ovarnet learnability`: its table, its JSON and its exit code, with results made by hand."""

import json

import pytest

from ovarnet.cli.commands.learnability import group_means, table
from ovarnet.cli.main import main
from ovarnet.scenes.learnability import WordResult


def result(kind, parent, word, novel, precision, chance=0.1):
    return WordResult(kind, parent, word, novel, precision, chance, 40)


RESULTS = [
    result("category", "household", "mug", False, 0.9),
    result("attribute", "color", "red", False, 0.8),
    result("attribute", "color", "gray", True, 0.5, 0.2),
    result("attribute", "size", "small", False, 0.6),
]


def test_means_are_of_kinds_and_of_attribute_types():
    means = group_means(RESULTS)
    assert list(means) == [
        "category, base",
        "attribute, base",
        "attribute, color",
        "attribute, novel",
        "attribute, size",
    ]
    assert means["attribute, color"] == pytest.approx((0.65, 0.15, 0.3))
    assert means["attribute, base"] == pytest.approx((0.7, 0.1, 0.5))


def test_the_table_is_in_percent():
    lines = table(RESULTS).splitlines()
    assert lines[3].split() == ["gray", "color", "novel", "50.0", "20.0", "30.0", "40"]
    assert lines[2].split() == ["red", "color", "80.0", "10.0", "70.0", "40"]
    assert "attribute, color" in lines[8]


def run(monkeypatch, results, *words):
    monkeypatch.setattr(
        "ovarnet.scenes.learnability.measure_learnability", lambda *_arguments: results
    )
    return main(["learnability", "--threads", "1", *words])


def test_a_weak_attribute_is_exit_code_1(monkeypatch, capsys, tmp_path):
    file = tmp_path / "words.json"
    assert run(monkeypatch, RESULTS, "--output", str(file)) == 0
    assert "less than 10 points above chance: none" in capsys.readouterr().out
    stored = json.loads(file.read_text())
    assert (stored["seed"], stored["scenes"], stored["epochs"]) == (0, 5000, 8)
    assert stored["words"][0]["word"] == "mug"
    assert stored["words"][0]["margin"] == pytest.approx(0.8)
    weak = result("attribute", "condition", "holed", True, 0.15)
    nothing = result("attribute", "condition", "dirty", False, float("nan"))
    assert run(monkeypatch, [*RESULTS, weak, nothing]) == 1
    assert "above chance: holed, dirty" in capsys.readouterr().out
    assert run(monkeypatch, [result("category", "x", "y", False, 0.1)]) == 0  # no attribute


@pytest.mark.parametrize("option", ["--scenes", "--epochs", "--threads"])
def test_numbers_are_at_least_1(option, capsys):
    assert main(["learnability", option, "0"]) == 2
    assert f"argument {option}: 0 is too small" in capsys.readouterr().err
