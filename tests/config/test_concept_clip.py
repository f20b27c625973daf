"""The settings of the stage "concept_clip"."""

import pytest
from refusals import accepted, refusal


def test_defaults():
    config = accepted("concept_clip")
    assert (config.views, config.classifier_share) == (2, 0.1)
    assert config.category_templates == ["a photo of a {}."]
    weights = config.loss_weights
    assert [weights.categories, weights.attributes, weights.captions, weights.background] == [1] * 4


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("views=0", "views is 0; it must be from 1 to 100"),
        ("classifier_share=1", "classifier_share is 1.0; it must be from 0 to less than 1"),
        ("loss_weights.captions=-1", "loss_weights.captions is -1.0; it must be from 0 to "),
        ("images=''", "images is ''; it must be a path"),
        ("attribute_templates=[]", "attribute_templates is []; it must be 1 to 1,000 values"),
    ],
)
def test_refusals(override, message):
    assert refusal("concept_clip", override).startswith(message)
