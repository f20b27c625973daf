"""Offline proposals of many images, in shards.

Each shard is a JSON file in the by-image form that `FileProposals` reads. ``proposer.json`` says
where they come from: training takes none that may contain boxes of novel categories (method section
0). A shard appears only when it is complete, so a job that was stopped continues where it was.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from ovarnet.errors import InputError
from ovarnet.io.files import check_folder, read_json, write_json
from ovarnet.io.images import read_image, to_pixels
from ovarnet.io.skipped import Skipped
from ovarnet.io.weights_hash import weights_hash
from ovarnet.modeling.proposer import Proposer
from ovarnet.proposals.detector import BASE_BOXES_ONLY
from ovarnet.proposals.from_file import shards_in
from ovarnet.structures import Proposals

logger = logging.getLogger(__name__)
DECIMALS = 2
ORIGIN = "proposer.json"
"""What made the proposals of a folder: `provenance` and, where known, `weights` and `limit`."""


def shards(files: Sequence[str], size: int) -> Iterator[tuple[str, list[str]]]:
    """Name without suffix and files of each shard."""
    for number, start in enumerate(range(0, len(files), size)):
        yield f"{number:05d}", list(files[start : start + size])


def write_proposals(
    proposer: Proposer,
    files: Sequence[str],
    folder: str | Path,
    *,
    shard: int = 500,
    limit: int = 100,
    batch: int = 8,
    skipped: Skipped | None = None,
) -> int:
    """Propose boxes of many images and store them, best first.

    Writes ``folder/00000.json``, ...: {image name: [[x1, y1, x2, y2, score], ...], ...}. What
    stored shards hold is not computed again.

    Args:
        proposer: where the boxes come from.
        files: the images.
        folder: where the shards are written.
        shard: images per shard.
        limit: best proposals kept per image, and the largest one if it is not among them.
        batch: images per call of the proposer.
        skipped: notes images that cannot be read, which are left out and tried again by a later
            run; None: one logged line.

    Returns:
        The number of images processed now.

    Raises:
        InputError: a shard is of other images, another proposer or another limit; two images have
            the same file name; or no image can be read.
    """
    folder, done, notes = Path(folder), 0, Skipped() if skipped is None else skipped
    _check_names(files)
    origin = _origin_of(proposer, limit)
    _check_output(folder, origin)
    for name, members in tqdm(list(shards(files, shard)), desc="proposals", unit="shard"):
        rows = _stored(folder / f"{name}.json", members)
        missing, known = [file for file in members if Path(file).name not in rows], len(rows)
        for start in range(0, len(missing), batch):
            images = _readable(missing[start : start + batch], notes)
            found = proposer.propose(list(images.values()), list(images))
            rows |= {
                Path(file).name: _rows(proposals, limit)
                for file, proposals in zip(images, found, strict=True)
            }
        if len(rows) > known:
            write_json(folder / ORIGIN, origin)
            write_json(
                folder / f"{name}.json",
                {
                    name: rows[name]
                    for name in (Path(file).name for file in members)
                    if name in rows
                },
            )
        done += len(rows) - known
    if len(notes) == len(files):
        raise InputError(
            f"none of the {len(files)} images can be read: {notes}; check the images and their "
            "folder"
        )
    if skipped is None:
        notes.log(folder)
    return done


def read_proposals(folder: str | Path) -> dict[str, Proposals]:
    """Read all shards of a folder, for training.

    Returns:
        Image name -> proposals, best first.

    Raises:
        InputError: there are none, or their proposer may have been trained on boxes of novel
            categories.
    """
    paths, origin = shards_in(folder), _noted_origin(Path(folder)).get("provenance")
    if not paths:
        raise InputError(
            f"{folder} holds no proposals; make them with: ovarnet propose --output {folder}"
        )
    if origin not in (None, BASE_BOXES_ONLY):
        raise InputError(
            f"{folder}: these proposals may bring boxes of novel categories into training "
            f"({origin}); make them with a proposer trained on base boxes: ovarnet train "
            "configs/.../proposer.yaml"
        )
    if origin is None:
        logger.warning(
            "%s: there is no %s that says what proposed these boxes; they are taken as proposals "
            "of a detector that was trained on base boxes only",
            folder,
            ORIGIN,
        )
    rows = {name: boxes for path in paths for name, boxes in read_json(path, dict).items()}
    tensors = {
        name: torch.tensor(boxes, dtype=torch.float32).reshape(-1, 5)
        for name, boxes in rows.items()
    }
    return {name: Proposals(table[:, :4], table[:, 4]) for name, table in tensors.items()}


def stored_proposals(
    folders: Sequence[str | Path], files: Sequence[str], most: int
) -> dict[str, Proposals]:
    """Read the best `most` proposals of each file from any of `folders`.

    Raises:
        InputError: naming a file that has none.
    """
    known = {
        name: proposals for folder in folders for name, proposals in read_proposals(folder).items()
    }
    missing = [file for file in files if Path(file).name not in known]
    if missing:
        read_image(missing[0])  # a damaged image has no proposals, and says so itself
        raise InputError(
            f"{', '.join(map(str, folders))}: no proposals of {len(missing)} of {len(files)} "
            f"images, such as {missing[0]}; make them with: ovarnet propose"
        )
    return {file: known[Path(file).name][:most] for file in files}


def best_and_largest(proposals: Proposals, most: int) -> Proposals:
    """The best `most` and, last, the largest one if it is not among them.

    The largest one stands for the image.
    """
    kept = list(range(min(most, len(proposals))))
    largest = [int(areas(proposals.boxes).argmax())] if len(proposals) else []
    return proposals[kept + [row for row in largest if row not in kept]]


def areas(boxes: torch.Tensor) -> torch.Tensor:
    """(R, 4) -> (R,) in square pixels."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _origin_of(proposer: Proposer, limit: int) -> dict[str, Any]:
    """What is noted beside proposals: a later run adds to them only if it would make the same."""
    origin: dict[str, Any] = {"provenance": proposer.provenance, "limit": limit}
    if isinstance(proposer, nn.Module):
        origin["weights"] = weights_hash(proposer)
    return origin


def _noted_origin(folder: Path) -> dict[str, Any]:
    """What is noted beside the proposals in `folder`; empty where nothing is."""
    path = folder / ORIGIN
    return read_json(path, dict) if path.is_file() else {}


def _rows(proposals: Proposals, limit: int) -> list[list[float]]:
    proposals = best_and_largest(proposals, limit)
    table = torch.cat([proposals.boxes, proposals.scores[:, None]], dim=1)
    return [
        [round(value, DECIMALS) for value in row[:4]] + [round(row[4], 4)] for row in table.tolist()
    ]


def _readable(files: Sequence[str], skipped: Skipped) -> dict[str, torch.Tensor]:
    images = {}
    for file in files:
        try:
            images[file] = to_pixels(read_image(file))
        except InputError as error:
            skipped.add("image unreadable", str(error))
    return images


def _check_names(files: Sequence[str]) -> None:
    first: dict[str, str] = {}
    for file in files:
        other = first.setdefault(Path(file).name, file)
        if other is not file:
            raise InputError(
                f"{other} and {file} have the same file name, by which proposals are kept; "
                "rename one"
            )


def _check_output(folder: Path, origin: dict[str, Any]) -> None:
    """InputError: the folder holds proposals of another proposer or with another limit."""
    check_folder(folder)
    noted = _noted_origin(folder)
    if any(noted.get(key, origin[key]) != origin[key] for key in origin if key != "limit"):
        raise InputError(
            f"{folder} holds proposals of another proposer ({noted.get('provenance')}); give an "
            "empty --output folder"
        )
    if noted.get("limit", origin["limit"]) != origin["limit"]:
        raise InputError(
            f"{folder} holds proposals made with --limit {noted['limit']}; give the same limit or "
            "an empty --output folder"
        )


def _stored(path: Path, members: list[str]) -> dict[str, list]:
    """What a shard holds; nothing when it is not made yet."""
    rows = read_json(path, dict) if path.is_file() else {}
    foreign = set(rows) - {Path(file).name for file in members}
    if foreign:
        raise InputError(
            f"{path} holds proposals of other images, such as {min(foreign)}; give an empty "
            "--output folder"
        )
    return rows
