"""Write models as ONNX files.

OvarNet becomes one graph from images to regions and scores, CLIP-Attr's encoder one from crops to
embeddings; the text tower, which encodes words, is a second file beside it.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from ovarnet.errors import InputError
from ovarnet.io.files import whole_file
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.resize import PAD_MULTIPLE
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.prompts import LearnedPrompts
from ovarnet.modeling.text.stored_words import text_key
from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
from ovarnet.modeling.vit_pyramid import VitPyramid, fused_attention
from ovarnet.onnx.crop_graph import CropGraph
from ovarnet.onnx.folded_graph import FoldedGraph, FoldedRegions
from ovarnet.onnx.packages import require_exporter
from ovarnet.onnx.region_graph import RegionGraph, Regions
from ovarnet.onnx.region_inputs import region_inputs
from ovarnet.onnx.settings import KEY, GraphSettings, text_file
from ovarnet.onnx.text_graph import TextGraph
from ovarnet.vocabulary import KINDS

OPSET = 18
"""The first with antialiased Resize and reducing ScatterND."""


def export(
    model: OvarNet | ClipAttr,
    path: str | Path,
    *,
    words: EncodedVocabulary | None = None,
    size: tuple[int, int] | None = None,
) -> list[Path]:
    """Write a model as ONNX.

    Args:
        model: in evaluation mode, on the CPU.
        path: of the graph; the text tower goes to `text_file(path)`.
        words: OvarNet only: score these words and no others; then no text tower is written.
        size: OvarNet only: height and width of all images, multiples of 32; None: any. A ViT needs
            one, as the windows of its attention are laid out for it.

    Returns:
        The files written.

    Raises:
        InputError: see `require_exporter`; or a model or size that cannot be exported.
    """
    path = Path(path)
    require_exporter()
    if isinstance(model, ClipAttr):
        return _export_clip_attr(model, path, words, size)
    _check_size(model, size)
    if words is not None:
        return [_export_folded(model, path, words, size)]
    text = _text_graph(model)
    settings = settings_of(model, text, size=size)
    inputs, shapes = region_inputs(model, size)
    _write(RegionGraph(model), inputs, shapes, Regions._fields, settings, path)
    return [path, _write_text(text, settings, text_file(path))]


def settings_of(
    model: OvarNet | ClipAttr,
    text: TextGraph | None,
    words: EncodedVocabulary | None = None,
    size: tuple[int, int] | None = None,
) -> GraphSettings:
    """What the metadata of a model's files say.

    Args:
        model: as in `export`.
        text: its text tower; None where the words are in the graph.
        words: as in `export`.
        size: as in `export`.
    """
    return GraphSettings(
        model="ovarnet" if isinstance(model, OvarNet) else "clip-attr",
        clip=model.clip.name,
        embed_dim=model.clip.embed_dim,
        calibration=_calibration(model.classifier),
        logit_scale=float(model.clip.logit_scale.detach()),
        prompts=_prompts(model.classifier),
        threshold=model.threshold,
        vocabulary=model.vocabulary if words is None else words.words,
        image=_image_settings(model, size),
        folded=words is not None,
        text=None if text is None else text.settings,
        text_key="" if text is None else text_key(model.classifier),
        score_calibration=tuple(model.score_calibration),
        nms_iou=model.nms_iou,
    )


def _check_size(model: OvarNet, size: tuple[int, int] | None) -> None:
    if size is None and isinstance(model.backbone, VitPyramid):
        raise InputError(
            "a ViT is exported for images of one size; give it, such as --size 800 1088"
        )
    if size and any(side < PAD_MULTIPLE or side % PAD_MULTIPLE for side in size):
        raise InputError(
            f"the size {size[0]} {size[1]}: height and width must be multiples of {PAD_MULTIPLE}"
        )


def _export_folded(
    model: OvarNet, path: Path, words: EncodedVocabulary, size: tuple[int, int] | None
) -> Path:
    inputs, shapes = region_inputs(model, size)
    kept = ("images", "sizes", "given_boxes")
    return _write(
        FoldedGraph(RegionGraph(model), words, model.nms_iou),
        {name: inputs[name] for name in kept},
        {name: shapes[name] for name in kept},
        FoldedRegions._fields,
        settings_of(model, None, words, size),
        path,
    )


def _export_clip_attr(
    model: ClipAttr,
    path: Path,
    words: EncodedVocabulary | None,
    size: tuple[int, int] | None,
) -> list[Path]:
    if words is not None or size is not None:
        raise InputError(
            "of a CLIP-Attr the crop encoder is exported, which has no words and whose crops have "
            "one size; leave out --words and --size"
        )
    text = _text_graph(model)
    settings, side = settings_of(model, text), model.clip.image_size
    crops = {"crops": torch.rand(2, 3, side, side)}
    shapes = {"crops": {0: Dim("regions")}}
    _write(CropGraph(model.clip), crops, shapes, ("embeddings",), settings, path)
    return [path, _write_text(text, settings, text_file(path))]


def _text_graph(model: OvarNet | ClipAttr) -> TextGraph:
    classifier = model.classifier
    return TextGraph(model.clip, classifier.prompts, classifier.joint_concepts())


def _write_text(graph: TextGraph, settings: GraphSettings, path: Path) -> Path:
    length = graph.settings.context_length
    inputs = {
        "tokens": torch.zeros(2, length if graph.settings.full_context else 5, dtype=torch.long),
        "lengths": torch.tensor([3, 5]),
    }
    shapes = {
        "tokens": {0: Dim("texts"), 1: Dim("length", min=2, max=length)},
        "lengths": {0: Dim("texts")},
    }
    if graph.settings.full_context:
        del shapes["tokens"][1]
    return _write(graph, inputs, shapes, graph.outputs, settings, path)


@torch.no_grad()
def _write(
    graph: nn.Module,
    inputs: Mapping[str, Tensor],
    shapes: Mapping[str, Any],
    outputs: tuple[str, ...],
    settings: GraphSettings,
    path: Path,
) -> Path:
    from ovarnet.onnx.translation import TRANSLATIONS

    # of no use to users: names of axes that several inputs share, operators left as they are
    logging.getLogger("onnxscript").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="# The axis name")
        # the fast path is one operator that exporters do not know
        with fused_attention():
            program = torch.onnx.export(
                graph,
                kwargs=dict(inputs),
                dynamic_shapes=dict(shapes),
                input_names=list(inputs),
                output_names=list(outputs),
                opset_version=OPSET,
                dynamo=True,
                custom_translation_table=TRANSLATIONS,
                verbose=False,
            )
    assert program is not None
    program.model.metadata_props[KEY] = settings.to_json()
    with whole_file(path) as unfinished:
        program.save(unfinished, external_data=False)
    return path


def _calibration(classifier: TextClassifier) -> dict[str, tuple[float, float]]:
    rows = zip(KINDS, classifier.calibration.tolist(), strict=True)
    return {kind: (scale, bias) for kind, (scale, bias) in rows if not math.isnan(scale)}


def _prompts(classifier: TextClassifier) -> dict[str, Any]:
    prompts = classifier.prompts
    if isinstance(prompts, LearnedPrompts):
        return {"vectors": list(prompts.counts), "parent_type": prompts.parent_type}
    return dict(prompts.templates)


def _image_settings(model: OvarNet | ClipAttr, size: tuple[int, int] | None) -> dict[str, Any]:
    if size:
        return {"height": size[0], "width": size[1]}
    if isinstance(model, OvarNet):
        resize = model.resize
        return {"short_side": list(resize.short_side), "long_side": resize.max_size}
    return {
        "size": model.clip.image_size,
        "mean": list(model.clip.mean),
        "std": list(model.clip.std),
        "proposals": model.proposals,
    }
