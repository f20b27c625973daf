"""Settings at the ends of their ranges: a stage trains, or says in one line why not."""

import re

import pytest
from accelerate import Accelerator
from clip_attr_runs import caption_settings, step_one_settings
from omegaconf import OmegaConf

from ovarnet.config import resolve
from ovarnet.errors import InputError
from ovarnet.training import train

SHORT = {"iterations": 1, "batch_size": 2}
SINGLE = {"iterations": 1, "batch_size": 1}
FROZEN = {"prompts": 0, "text_tower": 0, "scale": 0}
NO_LEARNED_PROMPTS = "is not CLIP-Attr with learned prompts; train step I first"

TRAINED = {
    "clip_attr": [
        {"prompt_vectors": [0, 0, 0], "optimisation": SINGLE},
        {"detection_share": 0.0, "loss": {"unknown_weight": 0.0}},
        {"detection_share": 1.0, "loss": {"sampled_categories": 2**31, "frequency_power": 10.0}},
        {"lr_multipliers": {"image_tower": 1e6, "bias": 1e6}, "tower_regularisation": 1e6},
        {"cached_views": 20, "limit": 1},
    ],
    "clip_attr_captions": [
        {"base_batch_size": 1, "phrase_vectors": 0, "optimisation": SINGLE},
        {"selection": {"max_proposals": 0}},
        {"selection": {"category_probability": 1.0}},
        {"selection": {"attribute_probability": 0.0, "mentioned_probability": 0.0}},
        {"require_known_words": True, "limit": 1, "unmentioned_weight": 0.0},
    ],
    "ovarnet": [
        {"distillation": {"proposals_per_image": 0}},
        {"distillation": {"teacher_proposals_per_image": 0, "cache_embeddings": True}},
        {"roi_batch_size": 1, "rpn_batch_size": 1, "attribute_share": 1.0},
        {"limit": 1, "optimisation": SINGLE, "backbone_lr_multiplier": 1e6},
        {"teacher": "scenes-clip-attr"},
    ],
    "zero_shot": [{"calibration_boxes": 1}, {"proposer": "scenes-clip-attr"}],
    "probe": [{"penalties": [1e-30]}, {"penalties": [1e6]}, {"init_from": "scenes"}],
}
REFUSED = {
    "clip_attr": [
        (
            {"prompt_vectors": [256, 256, 256]},
            "prompt_vectors asks for 768 learned vectors, but the text tower of ovarnet-scenes "
            "reads 75 tokens",
        ),
        ({"lr_multipliers": FROZEN}, "lr_multipliers: all are 0"),
        ({"init_from": "scenes", "clip": None}, "scenes is an OvarNet or has a linear probe"),
    ],
    "clip_attr_captions": [
        ({"phrase_vectors": 256}, "phrase_vectors asks for 256 learned vectors"),
        ({"init_from": "scenes"}, f"scenes {NO_LEARNED_PROMPTS}"),
        (
            {"init_from": "clip-attr:RN50/openai"},
            f"clip-attr:RN50/openai {NO_LEARNED_PROMPTS}",
        ),
    ],
    "ovarnet": [
        ({"teacher": "clip-attr:RN50/openai"}, "is a CLIP as it is, without a calibration"),
    ],
    "zero_shot": [
        ({"category_templates": ["no place"]}, "category templates need one {} each"),
    ],
}


@pytest.fixture
def config_of(tiny_world, start_files, step_one, pseudo_labels, settings, tmp_path):
    """Called with a stage and changes."""

    def make(stage, more):
        source = {"root": str(tiny_world.root)}
        more = {"optimisation": SHORT, **more}
        if stage == "clip_attr":
            return step_one_settings(tiny_world, start_files, tmp_path / "run", **more)
        if stage == "clip_attr_captions":
            initial = more.pop("init_from", step_one)
            return caption_settings(tiny_world, initial, pseudo_labels, tmp_path / "run", **more)
        if stage == "ovarnet":
            return settings(**more)
        del more["optimisation"]
        clip = {"name": "ovarnet-scenes", "pretrained": str(start_files.clip)}
        given = {
            "zero_shot": {
                "detection": source,
                "attributes": source,
                "clip": clip,
                "proposer": str(start_files.proposer),
            },
            "probe": {"init_from": str(step_one), "data": {"dataset": "scenes", **source}},
        }[stage]
        named = {"stage": stage, "output": str(tmp_path / "run")}
        return resolve(OmegaConf.merge(named, given, more), "test")

    return make


def cases(table):
    return [
        pytest.param(stage, case, id=f"{stage} {case}") for stage in table for case in table[stage]
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "more"), cases(TRAINED))
def test_what_is_allowed_is_trained(stage, more, config_of):
    assert train(config_of(stage, more), Accelerator(cpu=True)).is_dir()


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "case"), cases(REFUSED))
def test_what_cannot_work_is_one_line(stage, case, config_of, tmp_path):
    more, message = case
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        train(config_of(stage, more), Accelerator(cpu=True))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run" / "checkpoint").exists()
