"""Scores of the proposals of caption images by the step I model (method section 4.3).

They are computed once and stored for step II. Logits are stored, not labels: which words become
positive depends on the caption drawn at a visit (`ovarnet.training.clip_attr.region_labels`). P
proposals of an image, C category words, A attribute words.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from ovarnet.captions import CaptionParser, ParsedCaption
from ovarnet.captions.pipelines import RULES
from ovarnet.data.captions import CaptionedImage
from ovarnet.errors import InputError
from ovarnet.io.files import check_folder, whole_file
from ovarnet.io.images import read_image, to_pixels
from ovarnet.io.skipped import Skipped
from ovarnet.io.weights_hash import weights_hash
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.clip_attr import ClipAttr, encode_boxes
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
from ovarnet.proposals.store import best_and_largest, shards
from ovarnet.structures import Proposals
from ovarnet.vocabulary import FIELDS, Vocabulary

logger = logging.getLogger(__name__)


@dataclass
class ScoredProposals:
    """Proposals of one image and the step I model's logits, best objectness first.

    Attributes:
        boxes: (P, 4) float32 xyxy, pixels of the image; P > 0.
        objectness: (P,) float32 in [0, 1].
        category_logits: (P, C) float32.
        attribute_logits: (P, A) float32.
    """

    boxes: Tensor
    objectness: Tensor
    category_logits: Tensor
    attribute_logits: Tensor


class PseudoLabels(Mapping[str, ScoredProposals]):
    """Scored proposals by image name, read from their shard on access.

    Those of COCO's captions would take 16 GB in every process.

    Args:
        places: Image name -> its shard, its first row there and the row after its last.
        categories: Names of the C category columns.
        attributes: Names of the A attribute columns.
        model: `model_hash` of the model that scored them; None where it is not known.
    """

    def __init__(
        self,
        places: dict[str, tuple[Path, int, int]],
        categories: list[str],
        attributes: list[str],
        model: str | None = None,
    ):
        self.places, self.categories, self.attributes = places, categories, attributes
        self.model = model

    @classmethod
    def open(cls, folder: str | Path) -> PseudoLabels:
        """Read the headers of all shards that `write_pseudo_labels` left in a folder.

        Raises:
            InputError: There are none, or one is damaged.
        """
        paths = sorted(Path(folder).glob("[0-9]*.safetensors"))
        if not paths:
            raise InputError(
                f"{folder} holds no pseudo-labels; make them with: ovarnet pseudo-label --output "
                f"{folder}"
            )
        places: dict[str, tuple[Path, int, int]] = {}
        for path in paths:
            header, shard_places = _read_header(path)
            places |= shard_places
        return cls(places, header["categories"], header["attributes"], header.get("model"))

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __getitem__(self, name: str) -> ScoredProposals:
        path, first, end = self.places[name]
        with _opened(path) as file:
            return ScoredProposals(
                *(
                    file.get_slice(field.name)[first:end].float()
                    for field in fields(ScoredProposals)
                )
            )


def model_hash(clip: Clip, classifier: TextClassifier) -> str:
    """Name the weights that scores depend on, for the headers of shards."""
    return weights_hash(clip, classifier.prompts)


def parse_images(
    parser: CaptionParser, images: Sequence[CaptionedImage]
) -> list[list[ParsedCaption]]:
    """The captions of each image, parsed."""
    parsed = parser.parse_many(caption for image in images for caption in image.captions)
    return [[next(parsed) for _ in image.captions] for image in images]


def caption_vocabulary(vocabulary: Vocabulary, parsed: Sequence[ParsedCaption]) -> Vocabulary:
    """Select the words of step II: base words, and those novel words that a caption mentions.

    No other novel word enters training.
    """
    categories = {name for caption in parsed for name in caption.categories}
    attributes = {name for caption in parsed for name in caption.attributes}
    return Vocabulary(
        tuple(word for word in vocabulary.categories if word.seen or word.name in categories),
        tuple(word for word in vocabulary.attributes if word.seen or word.name in attributes),
    )


@torch.no_grad()
def write_pseudo_labels(
    teacher: ClipAttr,
    images: Sequence[CaptionedImage],
    proposals: dict[str, Proposals],
    folder: str | Path,
    *,
    most: int = 50,
    shard: int = 500,
    skipped: Skipped | None = None,
) -> Vocabulary:
    """Score the proposals of every image for all words of step II.

    Writes ``folder/00000.safetensors``, ...; what stored shards hold is not computed again.

    Args:
        teacher: The step I model, in evaluation mode.
        images: Images with captions; those without a proposal are left out and counted.
        proposals: Image name -> proposals, as `read_proposals` gives them.
        folder: Where the shards are written.
        most: Best proposals scored per image, and its largest one.
        shard: Images per shard.
        skipped: Takes a note of each image that cannot be read (None: one logged line); a later
            run tries it again.

    Returns:
        The words, in the order of the logits' columns.

    Raises:
        InputError: No image has a proposal or can be read, or a stored shard is of other images,
            other words, another model or another `most`.
    """
    folder, notes = Path(folder), Skipped() if skipped is None else skipped
    check_folder(folder)
    files = _with_proposals(images, proposals, folder)
    words = _words_of_captions(teacher.vocabulary, images)
    header = {
        "categories": words.category_names,
        "attributes": words.attribute_names,
        "model": model_hash(teacher.clip, teacher.classifier),
        "most": most,
    }
    encoded = teacher.classifier.encode_vocabulary(words)

    for name, members in tqdm(list(shards(files, shard)), desc="pseudo-labels", unit="shard"):
        path = folder / f"{name}.safetensors"
        stored = _stored(path, members, header)
        scored: dict[str, ScoredProposals] = {}
        for file, image in _readable(members, stored, notes):
            best = best_and_largest(proposals[Path(file).name], most)
            pixels = to_pixels(image, teacher.device)
            scored[Path(file).name] = _score(teacher, pixels, best, encoded)

        # a shard is written anew with what it held, in the order of the images
        if scored:
            scored |= {name: stored[name] for name in stored}
            names = [Path(file).name for file in members]
            _save(path, {name: scored[name] for name in names if name in scored}, header)

    if len(notes) == len(files):
        raise InputError(f"none of the {len(files)} images can be read: {notes}; check the images")
    if skipped is None:
        notes.log(folder)
    return words


def _with_proposals(
    images: Sequence[CaptionedImage], proposals: Mapping[str, Proposals], folder: Path
) -> list[str]:
    """Files of the images that have a proposal."""
    files = [image.file for image in images if len(proposals.get(Path(image.file).name, ()))]
    if not files:
        raise InputError(
            "none of the images has a proposal; make them for the same images with: ovarnet propose"
        )
    if len(files) < len(images):
        logger.warning(
            "%s: left out: %d images without proposals", folder, len(images) - len(files)
        )
    return files


def _readable(
    files: Sequence[str], stored: Mapping[str, ScoredProposals], notes: Skipped
) -> Iterator[tuple[str, np.ndarray]]:
    """Files that are not stored yet, with their images; those that cannot be read are noted."""
    for file in files:
        if Path(file).name in stored:
            continue
        try:
            image = read_image(file)
        except InputError as error:
            notes.add("image unreadable", str(error))
        else:
            yield file, image


def _words_of_captions(vocabulary: Vocabulary, images: Sequence[CaptionedImage]) -> Vocabulary:
    # the rules, so that a run does not depend on which spaCy pipelines are installed
    parsed = parse_images(CaptionParser(vocabulary, RULES), images)
    return caption_vocabulary(vocabulary, [caption for captions in parsed for caption in captions])


def _score(
    teacher: ClipAttr, pixels: Tensor, proposals: Proposals, words: EncodedVocabulary
) -> ScoredProposals:
    embeddings = encode_boxes(teacher.clip, [pixels], [proposals.boxes])[0]
    categories, attributes = teacher.classifier.logits(embeddings, words)
    return ScoredProposals(proposals.boxes, proposals.scores, categories.cpu(), attributes.cpu())


def _save(path: Path, scored: dict[str, ScoredProposals], header: dict[str, Any]) -> None:
    tensors = {
        field.name: torch.cat([getattr(row, field.name) for row in scored.values()])
        for field in fields(ScoredProposals)
    }
    tensors |= {name: tensor.half() for name, tensor in tensors.items() if name.endswith("_logits")}
    tensors["counts"] = torch.tensor([len(row.boxes) for row in scored.values()])
    metadata = {"header": json.dumps({"images": list(scored), **header})}
    with whole_file(path) as unfinished:
        save_file(tensors, unfinished, metadata=metadata)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, "pt") as file:
            yield file
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is damaged ({error}); delete it and run ovarnet pseudo-label again"
        ) from None


def _read_header(path: Path) -> tuple[dict[str, Any], dict[str, tuple[Path, int, int]]]:
    """The header of a shard, and the place of each of its images."""
    with _opened(path) as file:
        header, counts = json.loads(file.metadata()["header"]), file.get_tensor("counts").tolist()
        ends = list(accumulate(counts))
        return header, {
            name: (path, end - count, end)
            for name, count, end in zip(header["images"], counts, ends, strict=True)
        }


def _stored(path: Path, members: Sequence[str], expected: dict[str, Any]) -> PseudoLabels:
    """Open what a shard holds; nothing where it is not made yet.

    Shards of earlier versions do not name their model and are taken as they are.
    """
    if not path.is_file():
        return PseudoLabels({}, [], [])
    header, places = _read_header(path)
    faults = {
        "is of other images": bool(set(places) - {Path(file).name for file in members}),
        "is of other words": any(header[key] != expected[key] for key in FIELDS),
        "was made by another model": header.get("model", expected["model"]) != expected["model"],
        "was made with another --most": header.get("most", expected["most"]) != expected["most"],
    }
    for fault, is_found in faults.items():
        if is_found:
            raise InputError(f"{path} {fault}; give an empty --output folder")
    return PseudoLabels(places, header["categories"], header["attributes"])
