"""Checkpoint folders: config.yaml, vocabulary.json and one safetensors file for each part.

``parts`` maps a name ("clip", "proposer") to a state dict. Nothing pickled is ever written or
loaded. Saving writes a temporary sibling folder and renames it, so that a folder with the final
name is always whole.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from yaml import YAMLError

from ovarnet.checkpoint_settings import check_settings
from ovarnet.errors import InputError
from ovarnet.io.int8 import quantise, restore
from ovarnet.io.word_files import read_vocabulary, write_vocabulary
from ovarnet.vocabulary import Vocabulary

FORMAT = "ovarnet/1"
CONFIG, VOCABULARY = "config.yaml", "vocabulary.json"
SHOWN = 3
"""Most tensors that a message names."""


@dataclass
class Checkpoint:
    """What a folder holds.

    Args:
        folder: where it lies.
        model: its kind, one of `ovarnet.checkpoint_settings.REQUIRED`.
        settings: plain values that build the model again.
        vocabulary: words of the model's training.
    """

    folder: Path
    model: str
    settings: dict[str, Any]
    vocabulary: Vocabulary

    def part(self, name: str) -> dict[str, Tensor]:
        """Read the state dict of one part, in float32.

        Shipped folders share what they have in common: `stored_in` in their settings says in which
        file a part lies, which may hold more, and `shared` where tensors lie that its own file
        lacks.

        Raises:
            InputError: the file is missing, damaged or truncated.
        """
        return {
            key: value.float() if value.is_floating_point() else value
            for key, value in self._read(name).items()
        }

    def parts(self) -> dict[str, dict[str, Tensor]]:
        """Read all parts as they are stored, also those that lie elsewhere.

        Raises:
            InputError: as `part`.
        """
        names = {file.stem for file in self.folder.glob("*.safetensors")} | set(
            self.settings.get("stored_in", {})
        )
        return {name: self._read(name) for name in sorted(names)}

    def _read(self, name: str) -> dict[str, Tensor]:
        state = self._read_file(name)
        for shared in self.settings.get("shared", {}).get(name, []):
            found = _load(self._elsewhere(name, shared["file"]))
            state |= {
                shared["prefix"] + key.removeprefix(shared["of"]): tensor
                for key, tensor in found.items()
                if key.startswith(shared["of"])
            }
        return state

    def _read_file(self, name: str) -> dict[str, Tensor]:
        elsewhere = self.settings.get("stored_in", {}).get(name)
        if elsewhere:
            return _load(self._elsewhere(name, elsewhere))
        path = self.folder / f"{name}.safetensors"
        if not path.is_file():
            raise InputError(
                f"checkpoint {self.folder} has no {path.name}; copy the whole folder again"
            )
        return _load(path)

    def _elsewhere(self, name: str, file: str) -> Path:
        """The file of another folder that holds tensors of part `name`."""
        path = self.folder / file
        if not path.is_file():
            path = Path(os.path.realpath(path))
            raise InputError(
                f"{path}, where checkpoint {self.folder} keeps its part {name}, is missing; "
                f"copy the folder {path.parent.name} too"
            )
        return path


def _load(path: Path) -> dict[str, Tensor]:
    try:
        return restore(load_file(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(
            f"{path} is damaged or truncated ({error}); copy or train it again"
        ) from None


def save_checkpoint(
    folder: str | Path,
    *,
    model: str,
    settings: dict[str, Any],
    vocabulary: Vocabulary,
    parts: Mapping[str, Mapping[str, Tensor]],
    half: bool = False,
    int8_prefix: str | None = None,
    texts: Mapping[str, str] | None = None,
) -> Path:
    """Write a checkpoint folder, replacing an older one of the same name in one step.

    Args:
        folder: its final name.
        model: its kind, one of `ovarnet.checkpoint_settings.REQUIRED`.
        settings: plain values that build the model again.
        vocabulary: words of the model's training.
        parts: name -> state dict.
        half: store floating point tensors as float16 (half the size, rounded to 11 bits).
        int8_prefix: store matrices whose names begin so in 8 bits (`ovarnet.io.int8`); None: none.
        texts: name -> content of further files, such as a tokenizer.json.

    Returns:
        The folder.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        new = Path(temporary) / "new"
        new.mkdir()
        OmegaConf.save(
            OmegaConf.create({"format": FORMAT, "model": model, **settings}), new / CONFIG
        )
        write_vocabulary(new / VOCABULARY, vocabulary)
        for name, text in (texts or {}).items():
            (new / name).write_text(text, encoding="utf-8")
        for name, state in parts.items():
            path = new / f"{name}.safetensors"
            rows = {key: _stored(value, half) for key, value in state.items()}
            save_file(rows if int8_prefix is None else quantise(rows, int8_prefix), path)
            path.chmod(0o644)  # safetensors makes it readable by its owner alone
        _replace(folder, new, Path(temporary) / "old")
    return folder


def _replace(folder: Path, new: Path, old: Path) -> None:
    """Rename `new` to `folder`; what stood there goes to `old`, and comes back if that fails."""
    if not folder.exists():
        os.replace(new, folder)
        return
    os.replace(folder, old)
    try:
        os.replace(new, folder)
    except OSError:
        os.replace(old, folder)
        raise


def load_checkpoint(folder: str | Path) -> Checkpoint:
    """Open a checkpoint folder; weights are read by `Checkpoint.part`.

    Raises:
        InputError: it is not a checkpoint folder, of another version, or damaged.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"checkpoint folder {folder} does not exist")
    config = folder / CONFIG
    if not config.is_file():
        raise InputError(f"{folder} is not an ovarnet checkpoint: it has no {CONFIG}")
    try:
        settings = OmegaConf.to_container(OmegaConf.load(config))
    except (YAMLError, OmegaConfBaseException, OSError, ValueError, RecursionError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{config} cannot be read ({reason:.200}); copy or train the model again"
        ) from None
    if not isinstance(settings, dict) or settings.pop("format", None) != FORMAT:
        raise InputError(
            f"{folder} is not an ovarnet checkpoint of this version: {CONFIG} must say "
            f"'format: {FORMAT}'"
        )
    if not (folder / VOCABULARY).is_file():
        raise InputError(f"checkpoint {folder} has no {VOCABULARY}; copy the whole folder again")
    model = str(settings.pop("model", ""))
    named = {str(key): value for key, value in settings.items()}
    check_settings(model, named, config)
    return Checkpoint(folder, model, named, read_vocabulary(folder / VOCABULARY))


def load_weights(module: nn.Module, state: Mapping[str, Tensor], source: str | Path) -> None:
    """Load a state dict, strictly.

    Args:
        module: receives the weights.
        state: name -> tensor.
        source: where they are from, for messages.

    Raises:
        InputError: naming the first tensors that do not fit, or hold numbers that are not finite.
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
        raise InputError(f"{source} holds another architecture: {_listed(wrong)}")
    # a buffer that is NaN until it is set, such as a calibration, may be NaN in a training state
    check_finite({key: state[key] for key in own if own[key].isfinite().all()}, source)
    module.load_state_dict(state)


def check_finite(state: Mapping[str, Tensor], source: str | Path | None) -> None:
    """Check that no weight is NaN or infinite.

    Args:
        state: name -> tensor.
        source: where they are from, for the message.

    Raises:
        InputError: naming the first tensors with such a number.
    """
    wrong = [
        key
        for key, value in state.items()
        if value.is_floating_point() and not value.isfinite().all()
    ]
    if wrong:
        raise InputError(
            f"{source} holds NaN or infinite weights in {_listed(wrong)}; the training diverged or "
            "the file is damaged, copy or train it again"
        )


def _listed(items: list[str]) -> str:
    more = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
    return "; ".join(items[:SHOWN]) + more


def _stored(value: Tensor, half: bool) -> Tensor:
    value = value.detach().cpu()
    return (
        (value.to(torch.float16) if half and value.is_floating_point() else value)
        .contiguous()
        .clone()
    )
