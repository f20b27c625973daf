"""What the step I model (the teacher) says of every proposal of the caption images, stored once
(method section 4.3).

Stored are logits; which of them become labels depends on the caption drawn at a visit and is
decided there (`label_regions`). P proposals of an image, R of them used, C category words, A
attribute words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import accumulate
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from ovarnet.captions import CaptionParser, ParsedCaption
from ovarnet.data.captions import CaptionedImage
from ovarnet.errors import InputError
from ovarnet.io.files import whole_file
from ovarnet.io.images import read_image, to_pixels
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.proposals.store import best_and_largest, shards
from ovarnet.structures import Proposals
from ovarnet.vocabulary import Vocabulary


@dataclass
class ScoredRegions:
    """The teacher's view of one image. boxes: (P, 4). objectness: (P,). category_logits: (P, C).
    attribute_logits: (P, A). P > 0.
    """

    boxes: Tensor
    objectness: Tensor
    category_logits: Tensor
    attribute_logits: Tensor


def caption_vocabulary(vocabulary: Vocabulary, parsed: Sequence[ParsedCaption]) -> Vocabulary:
    """The words of step II: base words, and those novel words that a caption speaks of. No other
    novel word enters training.
    """
    told_categories = {name for caption in parsed for name in caption.categories}
    mentioned_attributes = {name for caption in parsed for name in caption.attributes}
    return Vocabulary(
        tuple(word for word in vocabulary.categories if word.seen or word.name in told_categories),
        tuple(
            word for word in vocabulary.attributes if word.seen or word.name in mentioned_attributes
        ),
    )


def parse_images(
    parser: CaptionParser, images: Sequence[CaptionedImage]
) -> list[list[ParsedCaption]]:
    """The captions of each image, parsed."""
    parsed = parser.parse_many(caption for image in images for caption in image.captions)
    return [[next(parsed) for _ in image.captions] for image in images]


@torch.no_grad()
def write_pseudo_labels(
    teacher: ClipAttr,
    images: Sequence[CaptionedImage],
    proposals: dict[str, Proposals],
    folder: str | Path,
    *,
    most: int = 50,
    shard: int = 500,
) -> Vocabulary:
    """Score the best `most` proposals of every image, and its largest one, for all words of step
    II; write ``folder/00000.safetensors``...

    Images without a proposal are left out. Shards that exist are not made again; InputError when
    one is of other images or words. Returns the words, whose columns the logits have.
    """
    parser = CaptionParser(teacher.vocabulary)
    words = caption_vocabulary(
        teacher.vocabulary,
        [caption for captions in parse_images(parser, images) for caption in captions],
    )
    embedded = (
        teacher.classifier.embed(words.categories, "category"),
        teacher.classifier.embed(words.attributes, "attribute"),
    )
    files = [image.file for image in images if len(proposals.get(Path(image.file).name, ()))]
    if not files:
        raise InputError(
            "none of the images has a proposal; make them for the same images with: ovarnet propose"
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, members in tqdm(list(shards(files, shard)), desc="pseudo-labels", unit="shard"):
        path = folder / f"{name}.safetensors"
        if path.is_file():
            _check_shard(path, members, words)
            continue
        _save(
            path,
            [_score(teacher, file, proposals[Path(file).name], embedded, most) for file in members],
            members,
            words,
        )
    return words


class StoredLabels(Mapping):
    """Image name -> `ScoredRegions`, read from its shard when asked for: those of COCO's captions
    would take 16 GB in every process.

    places: image name -> shard, first row and the row after the last.
    """

    def __init__(self, places: dict[str, tuple[Path, int, int]]):
        self.places = places

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __getitem__(self, name: str) -> ScoredRegions:
        path, first, end = self.places[name]
        with _opened(path) as file:
            return ScoredRegions(
                *(file.get_slice(field.name)[first:end].float() for field in fields(ScoredRegions))
            )


def read_pseudo_labels(folder: str | Path) -> tuple[StoredLabels, list[str], list[str]]:
    """Image name -> what the teacher said, and the names of the category and attribute columns.
    InputError: nothing there, or damaged.
    """
    paths = sorted(Path(folder).glob("[0-9]*.safetensors"))
    if not paths:
        raise InputError(
            f"{folder} holds no pseudo-labels; make them with: ovarnet pseudo-label --output "
            f"{folder}"
        )
    places: dict[str, tuple[Path, int, int]] = {}
    for path in paths:
        header, counts = _header(path)
        ends = list(accumulate(counts))
        places |= {
            name: (path, end - count, end)
            for name, count, end in zip(header["images"], counts, ends, strict=True)
        }
    return StoredLabels(places), header["categories"], header["attributes"]


def _score(
    teacher: ClipAttr, file: str, proposals: Proposals, embedded: tuple, most: int
) -> ScoredRegions:
    proposals = best_and_largest(proposals, most)
    image = to_pixels(read_image(file), teacher.device)
    embeddings = teacher.encode_boxes([image], [proposals.boxes])[0]
    return ScoredRegions(
        proposals.boxes,
        proposals.scores,
        *(teacher.classifier(embeddings, words).cpu() for words in embedded),
    )


def _save(path: Path, regions: list[ScoredRegions], files: list[str], words: Vocabulary) -> None:
    tensors = {
        field.name: torch.cat([getattr(row, field.name) for row in regions])
        for field in fields(ScoredRegions)
    }
    tensors |= {name: tensor.half() for name, tensor in tensors.items() if name.endswith("_logits")}
    tensors["counts"] = torch.tensor([len(row.boxes) for row in regions])
    header = {
        "images": [Path(file).name for file in files],
        "categories": words.category_names,
        "attributes": words.attribute_names,
    }
    with whole_file(path) as unfinished:
        save_file(tensors, unfinished, metadata={"header": json.dumps(header)})


@contextmanager
def _opened(path: Path) -> Iterator:
    try:
        with safe_open(path, "pt") as file:
            yield file
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is damaged ({error}); delete it and run ovarnet pseudo-label again"
        ) from None


def _header(path: Path) -> tuple[dict, list[int]]:
    """The names of images and words of a shard, and how many regions each image has."""
    with _opened(path) as file:
        return json.loads(file.metadata()["header"]), file.get_tensor("counts").tolist()


def _check_shard(path: Path, files: list[str], words: Vocabulary) -> None:
    header, _ = _header(path)
    expected = {
        "images": [Path(file).name for file in files],
        "categories": words.category_names,
        "attributes": words.attribute_names,
    }
    if header != expected:
        raise InputError(f"{path} is of other images or words; give an empty --output folder")
