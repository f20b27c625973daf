"""CLIP-Attr as the teacher of OvarNet: asked online about the crops of a batch, or once about every
box and proposal.

R regions, D the teacher's embedding width. Cached or not, the regions, their crops and so the
answers are the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from ovarnet.errors import InputError
from ovarnet.io.files import whole_file
from ovarnet.modeling.clip_attr import ClipAttr, encode_boxes, encode_crops
from ovarnet.modeling.text.word_embeddings import EncodedVocabulary
from ovarnet.structures import Proposals
from ovarnet.training.data.crops import ImageCache
from ovarnet.training.data.embedding_cache import tower_hash
from ovarnet.training.distillation.data import TrainingImage
from ovarnet.vocabulary import Vocabulary

BATCH = 8


class Teacher:
    """model: CLIP-Attr, frozen, in eval mode. words: all that are distilled, base and novel;
    categories and attributes apart.
    """

    def __init__(self, model: ClipAttr, words: Vocabulary):
        self.model = model.requires_grad_(False).eval()
        self.words = words

    @property
    def crop(self) -> tuple[int, tuple, tuple]:
        """Size, mean and std for `crop_boxes`."""
        return self.model.clip.image_size, tuple(self.model.clip.mean), tuple(self.model.clip.std)

    @torch.no_grad()
    def embed(self, seen: Tensor) -> Tensor:
        """Crops (R, 3, S, S) -> embeddings (R, D); what is already embedded (R, D) stays as it is.
        R may be 0.
        """
        if seen.ndim == 2:
            return seen
        return encode_crops(self.model.clip, seen, batch=self.model.crop_batch)

    @torch.no_grad()
    def logits(self, embeddings: Tensor) -> tuple[Tensor, Tensor]:
        """(R, D) -> logits of all categories and of all attributes."""
        return self.model.classifier.logits(embeddings, self.encoded)

    @cached_property
    def encoded(self) -> EncodedVocabulary:
        """The words, encoded once: the teacher does not change."""
        return self.model.classifier.encode_vocabulary(self.words)


def teacher_proposals(
    model: ClipAttr, files: Sequence[str], images: ImageCache, folder: Path, kept: int
) -> dict[str, Proposals]:
    """The best `kept` proposals of each file, from the teacher's own proposer (base boxes only have
    taught it); stored in `folder`.
    """
    path = (
        folder
        / f"proposals-{_hash(files, kept, [part.sum().item() for part in _weights(model.proposer)])}.safetensors"
    )
    stored = _read(path) if path.is_file() else _store(path, _propose(model, files, images, kept))
    counts = stored["counts"].tolist()
    return {
        file: Proposals(boxes, scores)
        for file, boxes, scores in zip(
            files, stored["boxes"].split(counts), stored["scores"].split(counts), strict=True
        )
    }


def teacher_cache(
    teacher: Teacher,
    asked: dict[tuple[str, int], TrainingImage],
    proposals: dict[str, Proposals],
    images: ImageCache,
    folder: Path,
    *,
    megabytes: int = 4096,
) -> dict[tuple[str, int], Tensor]:
    """(source, index) of the images asked about -> embeddings (R, D) float32 of an image's boxes,
    then of all its proposals.

    Stored in `folder`, named by a hash of tower and boxes. InputError when they would need more
    than `megabytes`.
    """
    regions = {
        key: (image.file, torch.cat([image.boxes, proposals[image.file].boxes]))
        for key, image in asked.items()
    }
    counts = [len(boxes) for _, boxes in regions.values()]
    needed = sum(counts) * teacher.model.clip.embed_dim * 4 / 2**20
    if needed > megabytes:
        raise InputError(
            f"the teacher's answers need {needed:,.0f} MB, more than {megabytes}; set "
            "distillation.cache_embeddings=false "
            "or lower distillation.teacher_proposals_per_image"
        )
    asked = [
        (file, hashlib.sha256(boxes.numpy().tobytes()).hexdigest())
        for file, boxes in regions.values()
    ]
    path = folder / f"teacher-{_hash(asked, tower_hash(teacher.model.clip))}.safetensors"
    stored = (
        _read(path)
        if path.is_file()
        else _store(path, {"embeddings": _embed_all(teacher, list(regions.values()), images)})
    )
    return dict(zip(regions, stored["embeddings"].split(counts), strict=True))


def _embed_all(teacher: Teacher, regions: list[tuple[str, Tensor]], images: ImageCache) -> Tensor:
    rows = [torch.zeros(0, teacher.model.clip.embed_dim)]
    for file, boxes in tqdm(regions, desc="teacher", unit="image", mininterval=2.0):
        pixels = images.read(file).to(teacher.model.device)
        with torch.no_grad():
            rows += [part.cpu() for part in encode_boxes(teacher.model.clip, [pixels], [boxes])]
    return torch.cat(rows)


def _propose(
    model: ClipAttr, files: Sequence[str], images: ImageCache, kept: int
) -> dict[str, Tensor]:
    found: list[Proposals] = []
    for start in tqdm(range(0, len(files), BATCH), desc="proposals", unit="batch", mininterval=2.0):
        part = files[start : start + BATCH]
        found += [
            proposals[:kept]
            for proposals in model.proposer.propose([images.read(file) for file in part], part)
        ]
    return {
        "boxes": torch.cat([torch.zeros(0, 4), *(one.boxes for one in found)]),
        "scores": torch.cat([torch.zeros(0), *(one.scores for one in found)]),
        "counts": torch.tensor([len(one) for one in found]),
    }


def _weights(proposer) -> list[Tensor]:
    return list(proposer.state_dict().values()) if hasattr(proposer, "state_dict") else []


def _hash(*what) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


def _store(path: Path, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    with whole_file(path) as unfinished:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, unfinished)
    return tensors


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is damaged ({error}); delete it, it is made again") from None
