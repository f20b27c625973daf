"""CLIP-Attr as the teacher of OvarNet.

It is run on the crops of every batch, or once on every box and proposal. R regions, D the teacher's
embedding width. Cached or not, the regions and their crops are the same, and so are the embeddings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

from ovarnet.errors import InputError
from ovarnet.io.files import whole_file
from ovarnet.modeling.clip_attr import ClipAttr, encode_boxes, encode_crops
from ovarnet.modeling.proposer import Proposer
from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
from ovarnet.structures import Proposals
from ovarnet.training.data.embedding_cache import tower_hash
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.training.distillation.data import TrainingImage
from ovarnet.training.distillation.dataset import CropTransform
from ovarnet.vocabulary import Vocabulary

BATCH = 8
MOST_MEGABYTES = 4096
"""Of cached embeddings."""


class Teacher:
    """A frozen CLIP-Attr in evaluation mode.

    Not a module, so that it is kept out of the module tree of a model that uses it.

    Args:
        model: Is frozen.
        words: All words that are distilled, base and novel.
    """

    def __init__(self, model: ClipAttr, words: Vocabulary):
        self.model = model.requires_grad_(False).eval()
        self.words = words

    @property
    def embed_dim(self) -> int:
        """D."""
        return self.model.clip.embed_dim

    @property
    def crop(self) -> CropTransform:
        """How its crops are cut."""
        clip = self.model.clip
        return CropTransform(clip.image_size, tuple(clip.mean), tuple(clip.std))

    @cached_property
    def encoded(self) -> EncodedVocabulary:
        """The words, encoded once: the teacher does not change."""
        return self.model.classifier.encode_vocabulary(self.words)

    @torch.no_grad()
    def embed(self, crops: Tensor) -> Tensor:
        """Crops (R, 3, S, S) -> embeddings (R, D), not normalised; R may be 0."""
        return encode_crops(self.model.clip, crops, batch=self.model.crop_batch)

    @torch.no_grad()
    def logits(self, embeddings: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings (R, D) -> logits of all categories and of all attributes."""
        return self.model.classifier.logits(embeddings, self.encoded)


def teacher_proposals(
    model: ClipAttr, files: Sequence[str], images: ImageCache, folder: Path, limit: int
) -> dict[str, Proposals]:
    """Proposals of the teacher's own proposer, which was trained on base boxes only.

    Args:
        model: The teacher.
        files: Images.
        images: Reads them.
        folder: Where the proposals are stored, under a hash of proposer, files and limit.
        limit: Best proposals kept per image.

    Returns:
        File -> proposals, best first.
    """
    weights = [part.sum().item() for part in _weights(model.proposer)]
    path = folder / f"proposals-{_hash(files, limit, weights)}.safetensors"
    if path.is_file():
        stored = _read(path)
    else:
        stored = _store(path, _propose(model.proposer, files, images, limit))
    counts = stored["counts"].tolist()
    return {
        file: Proposals(boxes, scores)
        for file, boxes, scores in zip(
            files, stored["boxes"].split(counts), stored["scores"].split(counts), strict=True
        )
    }


def cache_embeddings(
    teacher: Teacher,
    members: Mapping[tuple[str, int], TrainingImage],
    proposals: Mapping[str, Proposals],
    images: ImageCache,
    folder: Path,
    *,
    megabytes: int = MOST_MEGABYTES,
) -> dict[tuple[str, int], Tensor]:
    """Embed every box and every proposal once.

    Args:
        teacher: Embeds them.
        members: (source, index) -> image.
        proposals: File -> proposals.
        images: Reads the images.
        folder: Where the embeddings are stored, under a hash of image tower and boxes.
        megabytes: Most that they may need.

    Returns:
        (source, index) -> embeddings (R, D) float32 of an image's boxes, then of its proposals.

    Raises:
        InputError: They need more, or a stored file is damaged.
    """
    regions = {
        key: (image.file, torch.cat([image.boxes, proposals[image.file].boxes]))
        for key, image in members.items()
    }
    counts = [len(boxes) for _, boxes in regions.values()]
    needed = sum(counts) * teacher.embed_dim * 4 / 2**20
    if needed > megabytes:
        raise InputError(
            f"the teacher's embeddings need {needed:,.0f} MB, more than {megabytes}; set "
            "distillation.cache_embeddings=false or lower distillation.teacher_proposals_per_image"
        )
    hashes = [
        (file, hashlib.sha256(boxes.numpy().tobytes()).hexdigest())
        for file, boxes in regions.values()
    ]
    path = folder / f"teacher-{_hash(hashes, tower_hash(teacher.model.clip))}.safetensors"
    if path.is_file():
        stored = _read(path)
    else:
        stored = _store(path, {"embeddings": _embed_all(teacher, list(regions.values()), images)})
    return dict(zip(regions, stored["embeddings"].split(counts), strict=True))


@torch.no_grad()
def _embed_all(
    teacher: Teacher, regions: Sequence[tuple[str, Tensor]], images: ImageCache
) -> Tensor:
    rows = [torch.zeros(0, teacher.embed_dim)]
    for file, boxes in tqdm(regions, desc="teacher", unit="image", mininterval=2.0):
        pixels = images.read(file).to(teacher.model.device)
        rows += [part.cpu() for part in encode_boxes(teacher.model.clip, [pixels], [boxes])]
    return torch.cat(rows)


def _propose(
    proposer: Proposer, files: Sequence[str], images: ImageCache, limit: int
) -> dict[str, Tensor]:
    found: list[Proposals] = []
    for start in tqdm(range(0, len(files), BATCH), desc="proposals", unit="batch", mininterval=2.0):
        part = files[start : start + BATCH]
        pixels = [images.read(file) for file in part]
        found += [proposals[:limit] for proposals in proposer.propose(pixels, part)]
    return {
        "boxes": torch.cat([torch.zeros(0, 4), *(one.boxes for one in found)]),
        "scores": torch.cat([torch.zeros(0), *(one.scores for one in found)]),
        "counts": torch.tensor([len(one) for one in found]),
    }


def _weights(proposer: Proposer) -> list[Tensor]:
    return list(proposer.state_dict().values()) if isinstance(proposer, nn.Module) else []


def _hash(*what: object) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


def _store(path: Path, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    with whole_file(path) as unfinished:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, unfinished)
    return tensors


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is damaged ({error}); delete it, it is computed again") from None
