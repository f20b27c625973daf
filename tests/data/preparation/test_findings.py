import pytest

from ovarnet.data.preparation.findings import PUBLISHED, SHOWN, Findings
from ovarnet.io.skipped import Skipped


@pytest.fixture
def lines():
    return []


@pytest.fixture
def findings(tmp_path, lines):
    return Findings(tmp_path, lines.append)


def test_lines_of_five_kinds(findings, lines, tmp_path):
    findings.ok("good")
    findings.note("caf\udce9")
    findings.count("images", 1000, 1000)
    findings.count("images", 5, 1000)
    findings.count("images", 7)
    findings.written(tmp_path / "a.json")
    assert findings.complete
    findings.missing("a file")
    findings.problem("a fault")
    assert not findings.complete
    assert lines == [
        "ok       good",
        "note     caf\\udce9",
        "ok       1,000 images, as in the full release",
        "note     5 images; the full release has 1,000",
        "ok       7 images",
        f"written  {tmp_path / 'a.json'}",
        "missing  a file",
        "problem  a fault",
    ]
    assert findings.kinds("missing") == ["a file"]


def test_cases_are_listed_and_all_of_them_written(findings, lines, tmp_path):
    cases = [f"case {number}" for number in range(SHOWN + 2)]
    findings.problem("a fault", cases)
    assert lines[1] == f"{'':11}case 0"
    assert len(lines) == SHOWN + 2
    assert lines[-1].strip() == f"... and 2 more, all in {tmp_path / 'prepared/problems.txt'}"
    findings.save()
    written = (tmp_path / "prepared/problems.txt").read_text().splitlines()
    assert written == [f"a fault: {case}" for case in cases]
    Findings(tmp_path, lines.append).save()
    assert not (tmp_path / "prepared/problems.txt").exists()


def test_what_loaders_leave_out_is_a_problem_unless_it_is_tolerated(findings):
    skipped = Skipped()
    for reason in (
        "box has no area",
        "attribute not in the vocabulary",
        "category not in the vocabulary",
        "no image folder given for oi",
        "image file missing",
    ):
        skipped.add(reason, "x")
    findings.skipped("a.json", skipped, PUBLISHED)
    assert findings.kinds("problem") == ["a.json: 1 x image file missing"]
    assert len(findings.kinds("note")) == 4
    assert findings.cases == [
        "a.json: 1 x box has no area: x",
        "a.json: 1 x attribute not in the vocabulary: x",
        "a.json: 1 x image file missing: x",
    ]
    findings.skipped("a.json", skipped)
    assert "a.json: 1 x box has no area" in findings.kinds("problem")
