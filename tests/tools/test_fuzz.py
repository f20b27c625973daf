"""Damaged input is read or refused in one line; the fuzzer sees what is neither."""

import importlib.util
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "fuzz.py"
INPUTS = 1000


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_no_damaged_input_ends_in_a_traceback_or_hangs(fuzz, tmp_path):
    problems = []
    outcomes = fuzz.Fuzzer(tmp_path, seed=0).run(INPUTS, problems.append)
    assert not problems, "\n".join(problems)
    assert outcomes["read"] > INPUTS / 5, "some damage is harmless"
    assert outcomes["refused"] > INPUTS / 5
    assert outcomes["read"] + outcomes["refused"] == INPUTS


def test_every_target_reads_its_valid_input(fuzz, tmp_path, monkeypatch):
    fuzzer = fuzz.Fuzzer(tmp_path, seed=0)
    monkeypatch.setattr(fuzzer, "damaged_bytes", lambda content: content)
    monkeypatch.setattr(fuzzer, "damaged_text", lambda text: text)
    monkeypatch.setattr(fuzz, "_places", lambda content: iter(()))
    for name, read in fuzzer.targets.items():
        if name != "config":  # its settings are replaced by junk in any case
            read()


def test_a_traceback_and_a_hang_are_counted(fuzz, tmp_path, monkeypatch):
    fuzzer, reports = fuzz.Fuzzer(tmp_path, seed=0), []
    monkeypatch.setattr(fuzz, "SECONDS", 1)

    def hang():
        while True:
            pass

    fuzzer.targets = {"a": lambda: 1 / 0, "b": hang}
    assert fuzzer.run(2, reports.append) == {"traceback": 1, "hang": 1}
    assert "ZeroDivisionError" in reports[0]
    assert "more than 1 s" in reports[1]
