"""What the numbers of the table of phrases mean, by hand."""

import pytest

from ovarnet.scenes.ablations.find import ROWS
from ovarnet.scenes.ablations.find_table import QUESTIONS, RULE, WHOLE, markdown, summary
from ovarnet.scenes.world.referring import BOTH, SAME_CATEGORY


def test_percentages_and_the_paired_lead():
    right = {"chance": [0.5, 0.25], **{name: [1.0, 0.0] for name in ROWS}, RULE: [1.0, 1.0]}
    hits = {name: dict.fromkeys(QUESTIONS, values) for name, values in right.items()}
    owners = [("all", "base", SAME_CATEGORY), ("all", "novel", BOTH)]
    result = summary(hits, {"image": owners, "folder": owners}, [True, False])
    assert result["understood"] == 50
    assert result["phrases"]["given"] == {
        "all": 2,
        "base": 1,
        "novel": 1,
        "same category": 1,
        "same attributes": 0,
        "both": 1,
    }
    assert result["rank_1"]["chance"]["found"] == {
        "all": 37.5,
        "base": 50,
        "novel": 25,
        "same category": 50,
        "both": 25,
    }
    assert result["rank_1"][RULE]["given"]["all"] == 100
    assert result["rank_1"][WHOLE]["folder"] == {
        "all": 50,
        "base": 100,
        "novel": 0,
        "same category": 100,
        "both": 0,
    }
    assert result["lead_over_whole_phrase"]["given"] == {
        "mean": 50,
        "interval": pytest.approx(1.96 * 50),
    }  # 0 and 100: sd 70.7
    table = markdown(result)
    assert "| | all (2) | base (1) | novel (1) | same category (1) | both (1) |" in table
    assert f"| {WHOLE} | 50.0 | 100.0 | 0.0 | 100.0 | 0.0 |" in table
    assert "the rule minus the whole phrase: +50.0 ± 98.0 (95 %, paired)" in table
