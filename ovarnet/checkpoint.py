"""A checkpoint is one folder: config.yaml, vocabulary.json and one safetensors file per part.
Nothing pickled is ever written or loaded.

``parts`` maps a name ("clip", "proposer") to a state dict. Saving writes a temporary sibling folder
and renames it, so that a folder with the final name is always whole.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from omegaconf import OmegaConf
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ovarnet.checkpoint_settings import check_settings
from ovarnet.errors import InputError
from ovarnet.io.word_files import read_vocabulary, write_vocabulary
from ovarnet.vocabulary import Vocabulary

FORMAT = "ovarnet/1"


@dataclass
class Checkpoint:
    """What a folder holds: the kind of model, how to build it, its words and its weights."""

    folder: Path
    model: str
    settings: dict
    vocabulary: Vocabulary

    def part(self, name: str) -> dict[str, Tensor]:
        """The state dict of one part, in float32. Raises InputError for a missing or damaged file.

        Shipped folders share what they have in common: `stored_in` in their settings says in which
        file a part lies, which may hold more.
        """
        return {
            key: value.float() if value.is_floating_point() else value
            for key, value in self._read(name).items()
        }

    def parts(self) -> dict[str, dict[str, Tensor]]:
        """All parts as they are stored, also those that lie elsewhere. Raises InputError as
        `part`.
        """
        names = {file.stem for file in self.folder.glob("*.safetensors")} | set(
            self.settings.get("stored_in", {})
        )
        return {name: self._read(name) for name in sorted(names)}

    def _read(self, name: str) -> dict[str, Tensor]:
        elsewhere = self.settings.get("stored_in", {}).get(name)
        path = self.folder / (elsewhere or f"{name}.safetensors")
        if elsewhere and not path.is_file():
            path = Path(os.path.realpath(path))
            raise InputError(
                f"{path}, where checkpoint {self.folder} keeps its part {name}, is missing; "
                f"copy the folder {path.parent.name} too"
            )
        if not path.is_file():
            raise InputError(
                f"checkpoint {self.folder} has no {path.name}; copy the whole folder again"
            )
        try:
            return load_file(path)
        except (SafetensorError, OSError, ValueError) as error:
            raise InputError(
                f"{path} is damaged or truncated ({error}); copy or train it again"
            ) from None


def save_checkpoint(
    folder: str | Path,
    *,
    model: str,
    settings: dict,
    vocabulary: Vocabulary,
    parts: dict[str, dict[str, Tensor]],
    half: bool = False,
) -> Path:
    """Write a checkpoint folder, replacing an older one of the same name in one step.

    model: "clip", "proposer", "clip-attr" or "ovarnet". settings: plain values that build the model
    again. half: store floating point tensors as float16 (half the size; the numbers are rounded to
    11 bits).
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        new = Path(temporary) / "new"
        new.mkdir()
        OmegaConf.save(
            OmegaConf.create({"format": FORMAT, "model": model, **settings}), new / "config.yaml"
        )
        write_vocabulary(new / "vocabulary.json", vocabulary)
        for name, state in parts.items():
            save_file(
                {key: _stored(value, half) for key, value in state.items()},
                new / f"{name}.safetensors",
            )
            (new / f"{name}.safetensors").chmod(
                0o644
            )  # safetensors makes it readable by its owner alone
        if folder.exists():
            os.replace(folder, Path(temporary) / "old")
        os.replace(new, folder)
    return folder


def load_checkpoint(folder: str | Path) -> Checkpoint:
    """Open a checkpoint folder; weights are read by `Checkpoint.part`. Raises InputError when the
    folder is not one of ours.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"checkpoint folder {folder} does not exist")
    config = folder / "config.yaml"
    if not config.is_file():
        raise InputError(f"{folder} is not an ovarnet checkpoint: it has no config.yaml")
    try:
        settings = OmegaConf.to_container(OmegaConf.load(config))
    except Exception as error:
        raise InputError(f"{config} cannot be read: {error}") from None
    if not isinstance(settings, dict) or settings.pop("format", None) != FORMAT:
        raise InputError(
            f"{folder} is not an ovarnet checkpoint of this version: config.yaml must say "
            f"'format: {FORMAT}'"
        )
    model = str(settings.pop("model", ""))
    check_settings(model, settings, config)
    return Checkpoint(folder, model, settings, read_vocabulary(folder / "vocabulary.json"))


def load_weights(module: nn.Module, state: dict[str, Tensor], source: str | Path) -> None:
    """Load `state` into `module`, strictly. Raises InputError that names the first tensors that do
    not fit.
    """
    own = module.state_dict()
    wrong = [f"{key} is missing" for key in own if key not in state]
    wrong += [f"{key} is not part of this architecture" for key in state if key not in own]
    wrong += [
        f"{key} has shape {tuple(state[key].shape)}, expected {tuple(own[key].shape)}"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise InputError(f"{source} holds another architecture: {'; '.join(wrong[:3])}{more}")
    module.load_state_dict(state)


def _stored(value: Tensor, half: bool) -> Tensor:
    value = value.detach().cpu()
    return (
        (value.to(torch.float16) if half and value.is_floating_point() else value)
        .contiguous()
        .clone()
    )
