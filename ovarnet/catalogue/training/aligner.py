"""Stage "catalogue_alignment": the captioner whose attention aligns words and patches.

N photos, L cells of a map, C channels, T words.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.utils.data import Dataset
from tqdm import tqdm

from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.modeling.crop_encoder import CropEncoder, open_crop_encoder, warp_boxes
from ovarnet.catalogue.modeling.show_attend_tell import (
    END,
    PAD,
    SPECIAL,
    START,
    UNKNOWN,
    ShowAttendTell,
    captioner_losses,
)
from ovarnet.catalogue.pretext.alignment import align_words
from ovarnet.catalogue.pretext.masking import Pair
from ovarnet.catalogue.product import Product
from ovarnet.catalogue.training.features import photo_version, product_box
from ovarnet.catalogue.training.saving import save_model
from ovarnet.checkpoint import load_checkpoint, load_weights
from ovarnet.config.catalogue_bert import AlignmentTraining
from ovarnet.errors import InputError
from ovarnet.io.files import whole_file
from ovarnet.io.images import read_image, to_pixels
from ovarnet.training.data.batch import TensorBatch
from ovarnet.training.engine.loop import run_stage

FEWEST_TITLES = 2
"""In how many titles a word must stand to be learned."""
PHOTOS_AT_ONCE = 64
WORDS = "words.txt"


def words_of(title: str) -> list[str]:
    """Words and punctuation marks of a title, lower case."""
    return re.findall(r"\w+|[^\w\s]", title.lower())


def learned_words(titles: Iterable[str]) -> list[str]:
    """Words of at least two titles, the most frequent first."""
    counts = Counter(word for title in titles for word in sorted(set(words_of(title))))
    return [word for word, count in counts.most_common() if count >= FEWEST_TITLES]


@dataclass
class CaptionerBatch(TensorBatch):
    """Maps of photos and their titles.

    Attributes:
        cells: (N, L, C).
        words: (N, T + 1) int64: START, the words, END, then PAD.
    """

    cells: Tensor
    words: Tensor


class CaptionerDataset(Dataset):
    """Photos as maps of cells, with their titles.

    Args:
        cells: (M, L, C) float16, read from disk as needed.
        titles: M titles.
        words: The vocabulary, without special words.
        length: Most words of a title.
    """

    def __init__(self, cells: np.ndarray, titles: Sequence[str], words: Sequence[str], length: int):
        self.cells = cells
        ids = {word: SPECIAL + index for index, word in enumerate(words)}
        self.titles = [
            [START, *(ids.get(word, UNKNOWN) for word in words_of(title)[:length]), END]
            for title in titles
        ]

    def __len__(self) -> int:
        return len(self.titles)

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> CaptionerBatch:
        """The batch of (iteration, index) keys."""
        rows = [index for _, index in keys]
        return CaptionerBatch(self.maps(rows), self.words(rows))

    def maps(self, rows: Sequence[int]) -> Tensor:
        """(N, L, C) float32 of some photos."""
        return torch.from_numpy(np.stack([self.cells[row] for row in rows]).astype(np.float32))

    def words(self, rows: Sequence[int]) -> Tensor:
        """(N, T + 1) int64 of some titles."""
        longest = max(len(self.titles[row]) for row in rows)
        padded = torch.full((len(rows), longest), PAD)
        for place, row in enumerate(rows):
            padded[place, : len(self.titles[row])] = torch.tensor(self.titles[row])
        return padded


class CaptionerModel(nn.Module):
    """A captioner with its losses.

    Args:
        captioner: Trained.
    """

    def __init__(self, captioner: ShowAttendTell):
        super().__init__()
        self.captioner = captioner

    def forward(self, batch: CaptionerBatch) -> dict[str, Tensor]:
        """The losses "words" and "coverage"."""
        logits, attention = self.captioner(batch.cells, batch.words[:, :-1])
        return captioner_losses(logits, attention, batch.words[:, 1:])


def train_aligner(
    config: AlignmentTraining, accelerator: Accelerator, *, resume: bool = False
) -> Path:
    """Train a captioner and write its checkpoint folder.

    Args:
        config: Settings of the stage.
        accelerator: Device, precision and processes.
        resume: Continue from the last saved state.

    Returns:
        The checkpoint folder.

    Raises:
        InputError: The catalogue is not prepared, a photo cannot be read, or no word stands in two
            titles.
    """
    products = open_catalogue(config.data.root).split("train")[: config.limit]
    words = learned_words(product.title for product in products)
    if not words:
        raise InputError(
            f"{config.data.root}: no word stands in {FEWEST_TITLES} of the {len(products)} "
            "training titles, so that no alignment can be learned; give more products"
        )
    encoder = open_crop_encoder(config.crops.network, config.crops.side).to(accelerator.device)
    with accelerator.main_process_first():
        cells = cached_cells(
            products, encoder, config.crops.cache, foreground=config.data.foreground
        )
    torch.manual_seed(config.seed)
    captioner = ShowAttendTell(len(words) + SPECIAL, encoder.channels)
    titles = [product.title for product in products]
    dataset = CaptionerDataset(cells, titles, words, config.words)
    trained = run_stage(
        CaptionerModel(captioner), dataset, config, accelerator, resume=resume
    ).captioner
    design = {
        "channels": encoder.channels,
        "words": config.words,
        "network": config.crops.network,
        "side": config.crops.side,
        "foreground": config.data.foreground,
        "digest": encoder.digest,
    }
    texts = {WORDS: "\n".join(words)}
    return save_model(
        config, accelerator, "aligner", {"aligner": design}, {"captioner": trained}, texts
    )


def align_products(
    folder: str | Path,
    products: Sequence[Product],
    titles: Sequence[Sequence[str]],
    cache: str | Path,
    *,
    teacher_forcing: bool,
) -> list[list[Pair]]:
    """Pairs of words and patches of products.

    Args:
        folder: Checkpoint of the stage.
        products: M, prepared.
        titles: The words of their titles, as the matcher counts them.
        cache: Folder of the features.
        teacher_forcing: Follow the attention while the captioner reads the title; else while it
            writes one of its own, as the paper does.

    Returns:
        For each product its pairs of a word of the title, by position, and a patch.

    Raises:
        InputError: It is no checkpoint of an aligner, or its network has other weights now.
    """
    checkpoint = load_checkpoint(folder)
    if checkpoint.model != "aligner":
        raise InputError(
            f"{folder} holds a model of kind {checkpoint.model!r}; alignment takes the checkpoint "
            "of ovarnet train configs/catalogue/alignment.yaml"
        )
    design = checkpoint.settings["aligner"]
    words = (checkpoint.folder / WORDS).read_text(encoding="utf-8").split("\n")
    captioner = ShowAttendTell(len(words) + SPECIAL, design["channels"])
    source = checkpoint.folder / "captioner.safetensors"
    load_weights(captioner, checkpoint.part("captioner"), source)
    encoder = open_crop_encoder(design["network"], design["side"])
    if encoder.digest != design["digest"]:
        raise InputError(
            f"{folder} was trained on maps of {design['network']} with other weights than it has "
            "now; train the aligner again"
        )
    cells = cached_cells(products, encoder, cache, foreground=design["foreground"])
    dataset = CaptionerDataset(cells, [" ".join(t) for t in titles], words, design["words"])
    follow = _read_titles if teacher_forcing else _write_titles
    pairs: list[list[Pair]] = []
    starts = range(0, len(products), PHOTOS_AT_ONCE)
    for start in tqdm(starts, desc="aligning words and patches", unit="batch", mininterval=2.0):
        rows = list(range(start, min(start + PHOTOS_AT_ONCE, len(products))))
        said, maps = follow(captioner.eval(), dataset, rows, words)
        side = int(maps.shape[-1] ** 0.5)
        for row, generated, attention in zip(rows, said, maps, strict=True):
            shown = attention[: len(generated)].reshape(len(generated), side, side)
            pairs.append(align_words(titles[row], generated, shown))
    return pairs


def _write_titles(
    captioner: ShowAttendTell, dataset: CaptionerDataset, rows: list[int], words: list[str]
) -> tuple[list[list[str]], Tensor]:
    """Generated words of photos and their attention (N, T, L)."""
    ids, maps = captioner.generate(dataset.maps(rows), dataset_length(dataset))
    said = [[words[i - SPECIAL] for i in row if i >= SPECIAL] for row in ids.tolist()]
    return said, maps


@torch.no_grad()
def _read_titles(
    captioner: ShowAttendTell, dataset: CaptionerDataset, rows: list[int], words: list[str]
) -> tuple[list[list[str]], Tensor]:
    """Words of the titles themselves and the attention under which each is predicted."""
    read = dataset.words(rows)
    _, maps = captioner(dataset.maps(rows), read[:, :-1])
    said = [
        [words[i - SPECIAL] if i >= SPECIAL else "" for i in row if i not in (PAD, END)]
        for row in read[:, 1:].tolist()
    ]
    return said, maps


def dataset_length(dataset: CaptionerDataset) -> int:
    """Words of the longest title."""
    return max(len(title) for title in dataset.titles) - 2


def cached_cells(
    products: Sequence[Product],
    encoder: CropEncoder,
    folder: str | Path,
    *,
    foreground: bool,
) -> np.ndarray:
    """Maps of products, from the cache or computed now; named as `cached_features` names its files.

    Returns:
        (M, L, C) float16, row by row of a square map of L cells.
    """
    digest = hashlib.sha256(f"{encoder.digest} {encoder.side} cells".encode())
    for product in products:
        box = product.boxes[:1] if foreground else ()
        digest.update(f"{product.image} {photo_version(product.image)} {box}".encode())
    path = Path(folder) / f"cells-{digest.hexdigest()[:16]}.npy"
    if not path.is_file():
        maps = []
        starts = range(0, len(products), PHOTOS_AT_ONCE)
        for start in tqdm(starts, desc="maps of photos", unit="batch", mininterval=2.0):
            crops = [
                _whole_product(product, encoder.side, foreground)
                for product in products[start : start + PHOTOS_AT_ONCE]
            ]
            cells = encoder.cells(torch.cat(crops).to(encoder.mean.device))
            maps.append(cells.flatten(2).transpose(1, 2).cpu().half().numpy())
        with whole_file(path) as unfinished, open(unfinished, "wb") as file:
            np.save(file, np.concatenate(maps))
    try:
        return np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is damaged ({error}); delete it, it is made again") from None


def _whole_product(product: Product, side: int, foreground: bool) -> Tensor:
    """(1, 3, S, S) of the box of a product."""
    pixels = to_pixels(read_image(product.image))
    box = product_box(product, pixels.shape[2], pixels.shape[1], foreground=foreground)
    return warp_boxes(pixels, torch.tensor([box]), side)
