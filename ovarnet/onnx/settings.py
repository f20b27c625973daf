"""What an ONNX file of this package says about itself, as JSON in its metadata.

The graph has the weights; this has the rest that inference needs: how images are resized, which
tokenizer and prompts the words go through, how cosines become scores, and default words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ovarnet.errors import InputError
from ovarnet.io.word_files import vocabulary_of, vocabulary_record
from ovarnet.modeling.post_processing import NMS_IOU
from ovarnet.vocabulary import Vocabulary

KEY = "ovarnet"
"""Of the metadata that holds the settings."""
FORMAT = "ovarnet-onnx/1"


@dataclass(frozen=True)
class TextSettings:
    """The text side: what the tokenizer and the text graph must know of each other.

    Args:
        start: token ids before every text.
        end: token ids after every text.
        context_length: most tokens of a text.
        pad_id: token that fills a prompt up.
        full_context: whether every prompt is `context_length` long.
        width: d, of the token embeddings.
        tokens: rows of the token table; the prompts' learned vectors follow them.
        has_concepts: whether the text graph has the output "concepts" (`TextGraph`).
    """

    start: tuple[int, ...]
    end: tuple[int, ...]
    context_length: int
    pad_id: int
    full_context: bool
    width: int
    tokens: int
    has_concepts: bool = False


@dataclass(frozen=True)
class GraphSettings:
    """The settings of a file.

    Args:
        model: "ovarnet" or "clip-attr".
        clip: name of the CLIP, which says which tokenizer it has.
        embed_dim: D.
        calibration: {kind of word: scale and bias}; a kind without is scored as stock CLIPs are.
        logit_scale: theta of the CLIP.
        prompts: as in a checkpoint's config.yaml.
        threshold: lowest detection score shown by default.
        vocabulary: default words; with `folded` those that the graph scores.
        folded: whether the words are part of the graph, which then has no inputs for them.
        text: None where the words are part of the graph.
        text_key: of stored words (`ovarnet.modeling.text.stored_words`), as the model itself has.
        nms_iou: of boxes of a category that overlap by more, the best is kept by default; with
            `folded` it is part of the graph too.
        score_calibration: scale and bias of `ScoreCalibration`.
        image: what the graph takes. OvarNet: short_side (two numbers) and long_side, or height and
            width where images have one size. CLIP-Attr: size, mean and std of the crops, and
            proposals.
    """

    model: str
    clip: str
    embed_dim: int
    calibration: Mapping[str, tuple[float, float]]
    logit_scale: float
    prompts: Mapping[str, Any]
    threshold: float
    vocabulary: Vocabulary
    image: Mapping[str, Any]
    folded: bool = False
    text: TextSettings | None = None
    text_key: str = ""
    score_calibration: Sequence[float] = (1.0, 0.0)
    nms_iou: float = NMS_IOU

    def to_json(self) -> str:
        """The text that stands in the metadata."""
        content = {**asdict(self), "vocabulary": vocabulary_record(self.vocabulary)}
        return json.dumps({"format": FORMAT, **content}, ensure_ascii=False)


def read_settings(metadata: Mapping[str, str], source: object) -> GraphSettings:
    """Read the settings of a file.

    Args:
        metadata: all of the file's metadata.
        source: the file, for messages.

    Raises:
        InputError: the file was not written by `ovarnet export`, or by another version.
    """
    if KEY not in metadata:
        raise InputError(f"{source} was not written by ovarnet export; export the model again")
    try:
        content = json.loads(metadata[KEY])
        if content.pop("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        text = content.pop("text")
        vocabulary = vocabulary_of(content.pop("vocabulary"))
        return GraphSettings(
            **content,
            vocabulary=vocabulary,
            text=None if text is None else TextSettings(**text),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{source} was written by another version of ovarnet ({error}); export the model again"
        ) from None


def text_file(path: str | Path) -> Path:
    """The text tower's file that belongs to a graph's: photos.onnx -> photos.text.onnx."""
    path = Path(path)
    return path.with_name(f"{path.stem}.text{path.suffix}")
