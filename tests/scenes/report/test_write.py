"""The parts of the report that are words and numbers, from results made by hand.

The whole page, of a real chain: tests/scenes/chain/test_quick_chain.py.
"""

import re
from pathlib import Path

from ovarnet.scenes.chain.sizes import FULL
from ovarnet.scenes.chain.steps import Places, all_steps
from ovarnet.scenes.report import write

CONFIGS = Path(__file__).parents[3] / "configs" / "scenes"


def text(parts):
    return re.sub(r"<[^>]*>", " ", " ".join(parts))


def test_headlines_are_what_the_student_keeps_of_its_teacher(chain_results):
    assert write._headlines(chain_results, 11.36) == [
        ("11.4 min", "from nothing to this page, on 2 cores"),
        ("50.0", "novel AP50 (box-free) of OvarNet, in %; its teacher: 25.0, 200 % of it"),
        (
            "31.0",
            "novel attribute mAP (box-free, authors) of OvarNet, in %; its teacher: 31.0, 100 % "
            "of it",
        ),
        ("12 ms", "per image for OvarNet; CLIP-Attr: 30 ms, 2.5 times as long"),
    ]


def test_only_a_quick_run_warns(chain_results):
    assert "its numbers and pictures mean nothing" in text(write._head(chain_results, 1.0, True))
    words = text(write._head(chain_results, 1.0, False))
    assert "mean nothing" not in words
    assert "2 categories and 3 attributes. 1 categories and 1 attributes are" in words


def test_every_step_has_its_amount_seed_and_time(chain_results):
    words = text(write._run(chain_results, 3.0))
    assert re.search(
        r"CLIP, from captions alone +1,800 iterations of 128 +3 +2026-11-28 10:00:00 +1\.50 +1\.00",
        words,
    )
    assert re.search(r"Evaluation: OvarNet +limit 40 +0\.50 +0\.00", words)
    assert re.search(r"Report, with its pictures and times +1\.00", words)  # 3 - 1.5 - 0.5 minutes
    assert "ovarnet evaluate --limit 40 --split test" in words


def test_every_step_of_the_chain_has_an_amount(tmp_path):
    steps = {step.name: step for step in all_steps(Places(CONFIGS, tmp_path), FULL)}
    amounts = {name: write._amount(step.settings()) for name, step in steps.items()}
    assert amounts["world"] == "train 1,500, val 1, test 300, captions 1,200, photos 20,000"
    assert amounts["zero_shot"] == "2,000 boxes"
    assert amounts["step_two"] == "100 iterations of 32"
    assert amounts["proposals"] == "limit 20"
    seeds = {write._seed(step.settings()) for step in steps.values()}
    assert seeds == {"0", ""}


def test_stages_without_a_history_have_no_curves(chain_results):
    assert write._curves(chain_results) == ["<h2>Training curves</h2>"]
