"""Sizes of the chain: words that the commands and configs of its steps know."""

from pathlib import Path

import pytest

from ovarnet.cli.main import parse
from ovarnet.scenes.chain.sizes import FULL, QUICK
from ovarnet.scenes.chain.steps import Places, all_steps

CONFIGS = Path(__file__).parents[3] / "configs" / "scenes"


@pytest.mark.parametrize("sizes", [FULL, QUICK], ids=["full", "quick"])
def test_every_word_reaches_its_step(sizes, tmp_path):
    steps = {step.name: step for step in all_steps(Places(CONFIGS, tmp_path), sizes)}
    for name, words in sizes.items():
        assert steps[name].command[-len(words) :] == words
        parse(steps[name].command)
        steps[name].settings()


def test_a_quick_chain_is_smaller_everywhere():
    def images(sizes):
        world = sizes["world"]
        return [int(count) for count in world[1::2]]

    assert list(FULL) == list(QUICK)
    assert all(small <= large for small, large in zip(images(QUICK), images(FULL), strict=True))
    assert sum(images(QUICK)) < sum(images(FULL)) / 9
