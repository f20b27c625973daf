"""The settings of zero-shot calibration, step I, step II and the probe."""

import pytest
from refusals import accepted, refusal


def test_step_two_trains_the_image_tower_by_default_and_step_one_does_not():
    assert accepted("clip_attr").lr_multipliers.image_tower == 0.0
    step_two = accepted("clip_attr_captions", "lr_multipliers.prompts=2").lr_multipliers
    assert (step_two.prompts, step_two.image_tower) == (2.0, 0.1)


@pytest.mark.parametrize(
    ("stage", "override", "message"),
    [
        ("clip_attr", "cached_views=-1", "cached_views is -1; it must be from 0 to 1,000"),
        ("clip_attr", "prompt_vectors=[-1,-1,-1]", "prompt_vectors is (-1, -1, -1); it must be 3 "),
        (
            "clip_attr",
            "prompt_vectors=[2,1,2147483648]",
            "prompt_vectors is (2, 1, 2147483648); it must be 3 values, each from 0 to 256",
        ),
        (
            "clip_attr",
            "prompt_vectors=[a,1,1]",
            "prompt_vectors is ['a', 1, 1]; it must be 3 values, each a whole number",
        ),
        (
            "clip_attr",
            "start_probability=0",
            "start_probability is 0, but it is no setting any more",
        ),
        (
            "clip_attr",
            "start_probability=1",
            "start_probability is 1, but it is no setting any more",
        ),
        (
            "clip_attr",
            "loss.frequency_power=.nan",
            "loss.frequency_power is nan; it must be from 0",
        ),
        (
            "clip_attr_captions",
            "terms.keep_categories=-1",
            "loss_weights.distil_categories is -1.0;",
        ),
        (
            "clip_attr_captions",
            "rules.told=.nan",
            "selection.mentioned_probability is nan; it must be from 0 to 1",
        ),
        ("clip_attr_captions", "unknown_divisors=[-1,-1]", "unknown_divisors is [-1, -1], but"),
        ("clip_attr_captions", "base_batch=-1", "base_batch_size is -1; it must be from 0"),
        (
            "clip_attr_captions",
            "phrase_vectors=-1",
            "phrase_vectors is -1; it must be from 0 to 256",
        ),
        ("zero_shot", "boxes=0", "calibration_boxes is 0; it must be from 1"),
        (
            "zero_shot",
            "attribute_templates=a: b",
            "attribute_templates is {'a': 'b'}; it must be a list of values, each text",
        ),
        ("zero_shot", "category_templates=[]", "category_templates is []; it must be 1 to 1,000 "),
        ("probe", "strengths=[]", "penalties is []; it must be 1 to 1,000 values, each "),
        ("probe", "penalties=[0.1,-1]", "penalties is [0.1, -1.0]; it must be"),
        ("probe", "folds=0", "folds is 0, but it is no setting any more: it is always 5"),
        ("probe", "folds=-1", "folds is -1, but it is no setting any more: it is always 5"),
    ],
)
def test_refusals(stage, override, message):
    assert refusal(stage, override).startswith(message)
