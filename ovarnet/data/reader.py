"""The interface that the reader of every dataset shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.structures import Annotations
from ovarnet.vocabulary import Vocabulary

NovelName = Callable[[str], str | None]
"""Name of an object -> the novel category that it means, or None.

See `ovarnet.training.data.novel_name_filter`.
"""
NOVEL_OBJECT = "object of a novel or ignored category, left out of training"


@dataclass(frozen=True)
class Request:
    """What to read of a dataset.

    Attributes:
        root: folder of the dataset.
        split: one of the reader's splits.
        division: base / novel division: a built-in name or the path of a split file; "" if the
            dataset has only one.
        needs_images: False if the image files need not be there.
        background: also images that own no box of the vocabulary, where the reader otherwise leaves
            them out; they come last.
        is_novel: for training: name of an object -> the novel category that it means in the
            detection data of the run, or None.
        skipped: where to note what is left out; None logs one line per file.
    """

    root: Path
    split: str
    division: str | Path = ""
    needs_images: bool = True
    background: bool = False
    is_novel: NovelName | None = None
    skipped: Skipped | None = None


@dataclass(frozen=True)
class DatasetReader:
    """How a dataset known by name is read.

    Attributes:
        splits: names of its splits.
        read: returns the vocabulary (base and novel words) and the annotations of a split, in which
            nothing has been removed for training yet.
        divisions: base / novel divisions by name, the default first; a value that ends in .json is
            a split file under the root. Empty: the dataset has one vocabulary.
    """

    splits: tuple[str, ...]
    read: Callable[[Request], tuple[Vocabulary, Sequence[Annotations]]]
    divisions: Mapping[str, str] = field(default_factory=dict)

    def find_division(self, dataset: str, division: str, root: Path) -> str | Path:
        """Resolve what follows the colon of a dataset name.

        Args:
            dataset: name of the dataset, for messages.
            division: name of a division, path of a split file under `root`, or "" for the default.
            root: folder of the dataset.

        Returns:
            A built-in name, the path of a split file, or "" if the dataset has one vocabulary.

        Raises:
            InputError: no such division or split file.
        """
        if not self.divisions:
            if division:
                raise InputError(f"dataset {dataset} has one vocabulary; leave out ':{division}'")
            return ""
        chosen = self.divisions.get(division or next(iter(self.divisions)), division)
        if chosen.endswith(".json"):
            if not (root / chosen).is_file():
                raise InputError(
                    f"{root / chosen}: no such split file; `ovarnet prepare {dataset} --root "
                    f"{root}` says how to get it"
                )
            return root / chosen
        if chosen not in self.divisions:
            raise InputError(
                f"dataset {dataset} has no division {division!r}; give one of "
                f"{', '.join(self.divisions)}, or a split file under the root"
            )
        return chosen
