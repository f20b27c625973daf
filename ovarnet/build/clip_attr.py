"""CLIP-Attr: from a checkpoint folder, or zero-shot from any CLIP."""

from __future__ import annotations

from pathlib import Path

from ovarnet.build.proposer import checkpoint_proposer, open_proposer
from ovarnet.checkpoint import Checkpoint, load_weights
from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip, load_clip
from ovarnet.modeling.clip.weights import LOCAL_FOLDER
from ovarnet.modeling.clip_attr import PROPOSALS, ClipAttr
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.linear_probe import LinearProbe
from ovarnet.modeling.text.prompts import LearnedPrompts, TemplatePrompts
from ovarnet.vocabulary import Vocabulary


def checkpoint_clip_attr(checkpoint: Checkpoint, proposer: str | Path | None = None) -> ClipAttr:
    """Build CLIP-Attr from a checkpoint folder that a training stage wrote.

    Args:
        checkpoint: an opened folder.
        proposer: replaces the folder's own, see `open_proposer`; None: its own.

    Raises:
        InputError: the folder holds another model, or it is damaged.
    """
    if checkpoint.model != "clip-attr":
        raise InputError(
            f"{checkpoint.folder} holds a '{checkpoint.model}', not a whole model; "
            "put CLIP-Attr together with: ovarnet train configs/scenes/clip_attr_zero_shot.yaml"
        )
    settings = checkpoint.settings
    clip = load_clip(settings["clip"]["name"], None, random_weights=True)
    load_weights(clip.model, checkpoint.part("clip"), checkpoint.folder / "clip.safetensors")
    classifier = TextClassifier(clip, checkpoint_prompts(checkpoint, clip))
    restore_scores(classifier, checkpoint)
    boxes = checkpoint_proposer(checkpoint) if proposer is None else open_proposer(proposer)
    return ClipAttr(
        clip,
        classifier,
        boxes,
        checkpoint.vocabulary,
        proposals=settings.get("proposals", PROPOSALS),
    )


def checkpoint_prompts(checkpoint: Checkpoint, clip: Clip) -> TemplatePrompts | LearnedPrompts:
    """The prompts of a folder: hand-written templates, or the vectors learned in step I."""
    settings = checkpoint.settings["prompts"]
    if "vectors" not in settings:
        return TemplatePrompts(settings["category"], settings["attribute"])
    prompts = LearnedPrompts(
        clip.text_width, tuple(settings["vectors"]), parent_type=settings["parent_type"]
    )
    load_weights(prompts, checkpoint.part("prompts"), checkpoint.folder / "prompts.safetensors")
    return prompts


def restore_scores(classifier: TextClassifier, checkpoint: Checkpoint) -> None:
    """Give a classifier the calibration and the linear probe of a folder, where it has them."""
    for kind, (scale, bias) in checkpoint.settings.get("calibration", {}).items():
        classifier.calibrate(kind, scale, bias)
    names = checkpoint.settings.get("probe")
    if names is not None:
        probe = LinearProbe(names, classifier.clip.embed_dim)
        load_weights(probe, checkpoint.part("probe"), checkpoint.folder / "probe.safetensors")
        classifier.probe = probe


def stock_clip_attr(spec: str, proposer: str | Path) -> ClipAttr:
    """Build zero-shot CLIP-Attr from any CLIP of open_clip.

    Args:
        spec: ARCH/TAG, ARCH/PATH or local-dir:FOLDER.
        proposer: see `open_proposer`.

    Raises:
        InputError: naming what is missing.
    """
    architecture, _, weights = (
        (spec, "", None) if spec.startswith(LOCAL_FOLDER) else spec.partition("/")
    )
    if weights == "":
        raise InputError(
            f"clip-attr:{spec} names no weights; write clip-attr:ARCH/TAG or clip-attr:ARCH/PATH, "
            "such as clip-attr:ViT-B-16/openai"
        )
    clip = load_clip(architecture, weights)
    classifier = TextClassifier(clip, TemplatePrompts())
    return ClipAttr(clip, classifier, open_proposer(proposer), Vocabulary())
