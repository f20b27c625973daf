"""Keys of earlier versions: configs, KEY=VALUE and saved settings with them are still read."""

from __future__ import annotations

import logging
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from ovarnet.errors import InputError

logger = logging.getLogger(__name__)

_IMAGE_CACHE = {"image_memory": "image_cache_mb"}
_STEP_ONE = {
    **_IMAGE_CACHE,
    "start": "init_from",
    "trained": "lr_multipliers",
    "image_anchor": "tower_regularisation",
    "loss.judged_categories": "loss.sampled_categories",
}

RENAMED: dict[str, dict[str, str]] = {
    "clip": {
        **_IMAGE_CACHE,
        "picture_memory": "image_cache_mb",
        "small_start": "bag_of_words_init",
    },
    "proposer": {},
    "zero_shot": {"root": "detection.root attributes.root", "boxes": "calibration_boxes"},
    "clip_attr": _STEP_ONE,
    "clip_attr_captions": {
        **_STEP_ONE,
        "known_words": "require_known_words",
        "base_batch": "base_batch_size",
        "base_weight": "base_loss_weight",
        "untold_weight": "unmentioned_weight",
        "terms": "loss_weights",
        "loss_weights.told_attributes": "loss_weights.mentioned_attributes",
        "loss_weights.keep_attributes": "loss_weights.distil_attributes",
        "loss_weights.keep_categories": "loss_weights.distil_categories",
        "rules": "selection",
        "selection.sure_category": "selection.category_probability",
        "selection.sure_attribute": "selection.attribute_probability",
        "selection.told": "selection.mentioned_probability",
        "selection.regions": "selection.max_proposals",
    },
    "ovarnet": {
        **_IMAGE_CACHE,
        "backbone_rate": "backbone_lr_multiplier",
        "regions": "roi_batch_size",
        "anchors": "rpn_batch_size",
        "terms": "loss_weights",
        "loss_weights.anchor_objectness": "loss_weights.rpn_objectness",
        "loss_weights.anchor_boxes": "loss_weights.rpn_boxes",
        "distillation.attributes": "distillation.attribute_weight",
        "distillation.categories": "distillation.category_weight",
        "distillation.proposals": "distillation.proposals_per_image",
        "distillation.kept_proposals": "distillation.teacher_proposals_per_image",
        "distillation.cached": "distillation.cache_embeddings",
    },
    "probe": {"start": "init_from", "strengths": "penalties"},
}
"""Stage -> old dotted key -> new ones. A group is renamed before what is in it, so that the keys of
its members begin with its new name."""

CONSTANT: dict[str, dict[str, Any]] = {
    "clip": {"init_logit_scale": 14.3, "scale_start": 14.3},
    "zero_shot": {"seed": None},
    "clip_attr": {
        "prior_probability": 0.1,
        "start_probability": 0.1,
        "loss.category_weight": 1.0,
    },
    "clip_attr_captions": {
        "unknown_divisors": [10.0, 5.0],
        "loss.category_weight": 1.0,
        "selection.min_objectness": 0.1,
        "selection.nouns": True,
    },
    "ovarnet": {
        "distillation.feature": 5.0,
        "loss_weights.unknown_weight": 0.15,
        "loss_weights.frequency_power": 0.25,
    },
    "probe": {"folds": 5},
}
"""Stage -> key that is no setting any more -> its value, now a constant of the module that uses it;
None: it never had an effect."""


def translate(given: DictConfig, stage: str, source: str) -> DictConfig:
    """Bring the keys of earlier versions to today's names; logs one note that names the new keys.

    Args:
        given: Stated settings, which are left as they are.
        stage: Stage they are for.
        source: Named in the note and in errors.

    Returns:
        A copy with today's keys.

    Raises:
        InputError: A key is given under both names, or a former setting has another value than the
            constant that it has become.
    """
    settings, notes = given.copy(), []
    for old, new in RENAMED.get(stage, {}).items():
        holder, name = _find(settings, old)
        if holder is None:
            continue
        value = holder._get_node(name)
        del holder[name]
        for key in new.split():
            if _find(settings, key)[0] is not None:
                raise InputError(f"{source}: {key} is given twice, also under its old name '{old}'")
            OmegaConf.update(settings, key, value, force_add=True)
        notes.append(f"{old} is now {' and '.join(new.split())}")
    for key, constant in CONSTANT.get(stage, {}).items():
        holder, name = _find(settings, key)
        if holder is None:
            continue
        _check_constant(key, holder[name], constant, source)
        del holder[name]
        notes.append(f"{key} is no setting any more")
    if notes:
        logger.warning("%s: old keys are still read: %s", source, "; ".join(notes))
    return settings


def _find(settings: DictConfig, key: str) -> tuple[DictConfig | None, str]:
    """The group that holds a dotted key and the key's last name; no group where it is not given."""
    *groups, name = key.split(".")
    holder: Any = settings
    for group in groups:
        holder = holder._get_node(group) if isinstance(holder, DictConfig) else None
    is_given = isinstance(holder, DictConfig) and not holder._is_none() and name in holder
    return (holder if is_given else None), name


def _check_constant(key: str, value: Any, constant: Any, source: str) -> None:
    if isinstance(value, ListConfig):
        value = list(value)
    if constant is not None and value != constant:
        raise InputError(
            f"{source}: {key} is {value!s:.80}, but it is no setting any more: it is always "
            f"{constant}; leave it out"
        )
