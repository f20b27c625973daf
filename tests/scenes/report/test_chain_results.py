"""The tables and minutes of a chain whose results are made by hand."""

from ovarnet.scenes.report.chain_results import STUDENT, TEACHER


def test_tables_compare_the_offline_proposer_with_that_of_ovarnet(chain_results):
    given, free, types, proposals, speed = chain_results.tables()
    assert [table.title for table in (given, free, types, proposals)] == [
        "Box-given",
        "Box-free",
        "Box-given, by parent type",
        "Proposals",
    ]
    assert list(proposals.rows) == ["offline proposer (of CLIP-Attr)", "OvarNet's own"]
    assert speed.rows == {TEACHER: [30, 1], STUDENT: [12, 2.5]}
    assert "on 2 test images" in speed.note


def test_minutes_of_every_step_by_its_title(chain_results):
    assert chain_results.minutes == {"CLIP, from captions alone": 1.5, "Evaluation: OvarNet": 0.5}
