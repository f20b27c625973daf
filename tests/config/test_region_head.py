"""The settings of the stage "region_head"."""

import pytest
from refusals import accepted, refusal


def test_defaults():
    config = accepted("region_head")
    assert config.proposals_per_image == 4
    weights = config.loss_weights
    distilled = [weights.features, weights.classes, weights.embeddings]
    assert [*distilled, weights.categories, weights.background, weights.attributes] == [1] * 6


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("detector=''", "detector is ''; it must be a path"),
        ("proposals_per_image=-1", "proposals_per_image is -1; it must be from 0 to 10,000"),
        ("loss_weights.classes=-1", "loss_weights.classes is -1.0; it must be from 0 to "),
        ("design.box_stage_width=-1", "design.box_stage_width is -1; it must be from 0 to 8,192"),
    ],
)
def test_refusals(override, message):
    assert refusal("region_head", override).startswith(message)
