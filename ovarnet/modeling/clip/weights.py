"""Find and read the weights of an architecture, which must fit exactly.

Whatever is wrong is one line. open_clip builds the architecture; weights are found and read
here because open_clip warns and continues with a random tower where we must stop, and because
nothing pickled may be executed.
"""

from __future__ import annotations

import difflib
import functools
import json
import logging
import pickle
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
from open_clip.convert import convert_state_dict
from open_clip.model import convert_to_custom_text_state_dict
from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ovarnet.checkpoint import check_finite
from ovarnet.errors import InputError
from ovarnet.modeling.clip.hub import download, why_unreachable
from ovarnet.modeling.clip.torchscript_archive import is_torchscript, read_torchscript

WEIGHT_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
LOCAL_FOLDER = "local-dir:"
OPENAI_ARCHIVE_KEYS = {"input_resolution", "context_length", "vocab_size"}
"""Scalars that only OpenAI's own archives hold, beside the weights."""


@dataclass(frozen=True)
class ClipSource:
    """What to build and what to load.

    Args:
        name: architecture.
        config: open_clip's config of it.
        file: weights; None: random.
        quick_gelu: the activation the weights were trained with.
        mean: of the pixels in [0, 1], 3 numbers.
        std: of the pixels in [0, 1], 3 numbers.
    """

    name: str
    config: dict[str, Any]
    file: Path | None
    quick_gelu: bool
    mean: tuple[float, ...] = OPENAI_DATASET_MEAN
    std: tuple[float, ...] = OPENAI_DATASET_STD

    def build(self) -> nn.Module:
        """Build the architecture with random weights."""
        with _open_clip_log_silenced():
            return open_clip.create_model(
                self.name, load_weights=False, pretrained_text=False, quick_gelu=self.quick_gelu
            )

    def tokenizer(self) -> Any:
        """Open the tokenizer.

        CLIP's own BPE comes with open_clip; other towers (SigLIP, ...) take theirs from the Hub's
        cache, else from the network.

        Raises:
            InputError: neither has it, or a package is missing.
        """
        if self.name.startswith(LOCAL_FOLDER):
            return self._open_clip_tokenizer()
        if not self.config["text_cfg"].get("hf_tokenizer_name"):
            return _bpe_tokenizer(self.name)
        try:
            return self._open_clip_tokenizer(local_files_only=True)
        except InputError:
            if why_unreachable():
                raise
            return self._open_clip_tokenizer()

    def _open_clip_tokenizer(self, **settings: Any) -> Any:
        try:
            return open_clip.get_tokenizer(self.name, **settings)
        except ImportError as error:
            raise InputError(
                f"the tokenizer of {self.name} is not CLIP's own and needs packages that are not "
                f"installed ({str(error).strip().splitlines()[0]}); pip install transformers "
                "sentencepiece"
            ) from error
        except (OSError, ValueError) as error:
            repository = self.config["text_cfg"].get("hf_tokenizer_name")
            raise InputError(
                f"the tokenizer of {self.name} ({repository} on the Hugging Face Hub) is neither "
                "in the local cache nor can be fetched; where there is a network: hf download "
                f"{repository} --local-dir FOLDER. Then, with FOLDER copied here, name the model "
                f"{LOCAL_FOLDER}FOLDER, weights and tokenizer in one"
            ) from error


@functools.cache
def _bpe_tokenizer(name: str) -> Any:
    """CLIP's own, read once for all models of an architecture."""
    return open_clip.get_tokenizer(name)


def resolve(name: str, pretrained: str | Path | None, *, random_weights: bool) -> ClipSource:
    """Check the name and find the weights file.

    Args:
        name: as in `load_clip`.
        pretrained: as in `load_clip`; a tag is looked up in the cache, then on the network.
        random_weights: as in `load_clip`.

    Raises:
        InputError: as in `load_clip`.
    """
    if name.startswith(LOCAL_FOLDER):
        return _resolve_folder(name, pretrained)
    name = name.replace("/", "-")
    config = open_clip.get_model_config(name)
    if config is None:
        near = difflib.get_close_matches(name, open_clip.list_models(), n=3, cutoff=0.0)
        raise InputError(
            f"unknown CLIP architecture {name!r}; the nearest names are {', '.join(near)}"
        )
    quick_gelu = bool(config.get("quick_gelu", False))
    mean, std = _pixel_statistics(name)
    if random_weights or pretrained is None:
        if not random_weights:
            raise InputError(
                f"no weights given for {name}; give an open_clip tag ({_tags(name)}) or a local "
                "weights file"
            )
        if pretrained is not None:
            raise InputError(
                f"random weights and the weights {str(pretrained)!r} are both given; choose one"
            )
        return ClipSource(name, config, None, quick_gelu, mean, std)
    tag = get_pretrained_cfg(name, pretrained) if isinstance(pretrained, str) else None
    if tag and isinstance(pretrained, str):
        # open_clip only warns when a tag trained with QuickGELU meets a config with GELU, as
        # `ViT-B-16` + `openai` does
        quick_gelu = quick_gelu or bool(tag.get("quick_gelu", False))
        return ClipSource(
            name,
            config,
            download(name, pretrained, tag),
            quick_gelu,
            tuple(tag["mean"]),
            tuple(tag["std"]),
        )
    return ClipSource(name, config, local_file(name, pretrained), quick_gelu, mean, std)


def read_state_dict(file: Path) -> dict[str, Tensor]:
    """Read the tensors of a weights file by name, without executing anything that it holds.

    Args:
        file: .safetensors, a state dict saved by torch, or OpenAI's TorchScript archive.

    Raises:
        InputError: it is no such file, or cut off.
    """
    state: Any
    try:
        if file.suffix == ".safetensors":
            state = load_file(file)
        else:
            state = (
                read_torchscript(file)
                if is_torchscript(file)
                else torch.load(file, map_location="cpu", weights_only=True)
            )
    except SafetensorError as error:
        raise InputError(
            f"{file} is no readable safetensors file ({error}); it may be cut off: copy or "
            "download it again"
        ) from error
    except pickle.UnpicklingError as error:
        if zipfile.is_zipfile(file):
            raise InputError(
                f"{file} holds pickled Python objects, which are never loaded; save its state "
                "dict as .safetensors"
            ) from error
        raise InputError(
            f"{file} is cut off or no weights file; copy or download it again"
        ) from error
    except (RuntimeError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{file} is cut off or no weights file; copy or download it again"
        ) from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if (
        not isinstance(state, dict)
        or not state
        or not all(isinstance(value, Tensor) for value in state.values())
    ):
        raise InputError(f"{file} holds no state dict (names -> tensors); save model.state_dict()")
    return {key.removeprefix("module."): value for key, value in state.items()}


def load_strictly(model: nn.Module, state: dict[str, Tensor], source: ClipSource) -> None:
    """Copy every weight.

    Args:
        model: receives the weights.
        state: their names may be older ones, or those of third parties.
        source: where they are from, for messages.

    Raises:
        InputError: naming what is missing, left over, of another shape or not finite.
    """
    if OPENAI_ARCHIVE_KEYS.issubset(state):
        if not source.quick_gelu:
            raise InputError(
                f"{source.file} holds OpenAI's weights, trained with QuickGELU; name the "
                f"architecture {source.name}-quickgelu"
            )
        state = {key: value for key, value in state.items() if key not in OPENAI_ARCHIVE_KEYS}
    state = _in_open_clip_names(model, state)
    wanted = model.state_dict()
    problems = [
        _listed("missing", sorted(wanted.keys() - state.keys())),
        _listed("left over", sorted(state.keys() - wanted.keys())),
        _listed(
            "other shape",
            [
                f"{key} {tuple(state[key].shape)} instead of {tuple(wanted[key].shape)}"
                for key in wanted
                if key in state and state[key].shape != wanted[key].shape
            ],
        ),
    ]
    if any(problems):
        report = "; ".join(filter(None, problems))
        raise InputError(
            f"{source.file} does not fit {source.name}: {report}; name the architecture it was "
            "made with"
        )
    check_finite(state, source.file)
    model.load_state_dict(state, strict=True)


def _in_open_clip_names(model: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Third parties' and older names -> those of today's open_clip.

    The renaming part of open_clip's `load_checkpoint`.
    """
    state = convert_state_dict(model, state)
    if "positional_embedding" in state and not hasattr(model, "positional_embedding"):
        state = convert_to_custom_text_state_dict(state)
    for scalar in ("logit_scale", "logit_bias"):
        own = getattr(model, scalar, None)
        if scalar in state and own is not None and state[scalar].numel() == own.numel():
            state = {**state, scalar: state[scalar].reshape(own.shape)}
    return state


def _listed(what: str, names: list[str]) -> str:
    if not names:
        return ""
    return f"{len(names)} {what} ({', '.join(names[:2])}{', ...' if len(names) > 2 else ''})"


def _resolve_folder(name: str, pretrained: str | Path | None) -> ClipSource:
    folder = Path(name.removeprefix(LOCAL_FOLDER))
    if pretrained is not None:
        raise InputError(f"{name} brings its own weights; leave out {str(pretrained)!r}")
    try:
        described = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))
        config, pixels = described["model_cfg"], described.get("preprocess_cfg", {})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder} holds no readable open_clip_config.json with a model_cfg; give a folder as "
            "the Hub holds it"
        ) from error
    files = sorted(file for file in folder.iterdir() if file.suffix in WEIGHT_SUFFIXES)
    if not files:
        raise InputError(f"{folder} holds no weights file ({', '.join(WEIGHT_SUFFIXES)})")
    file = next((file for file in files if file.suffix == ".safetensors"), files[0])
    return ClipSource(
        name,
        config,
        file,
        bool(config.get("quick_gelu", False)),
        tuple(pixels.get("mean", OPENAI_DATASET_MEAN)),
        tuple(pixels.get("std", OPENAI_DATASET_STD)),
    )


def local_file(name: str, pretrained: str | Path) -> Path:
    """Find a local weights file of the architecture `name`.

    Raises:
        InputError: there is no such file.
    """
    file = Path(pretrained).expanduser()
    if file.is_dir():
        raise InputError(f"{file} is a folder; name the weights file in it")
    if file.is_file():
        return file
    if isinstance(pretrained, Path) or file.suffix in WEIGHT_SUFFIXES or len(file.parts) > 1:
        raise InputError(f"weights file {file} does not exist")
    raise InputError(
        f"{pretrained!r} is no tag of {name} and no file; the tags of {name} are: {_tags(name)}"
    )


def _tags(name: str) -> str:
    return ", ".join(list_pretrained_tags_by_model(name)) or "none"


def _pixel_statistics(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and std for a local file.

    Those of the architecture's tags where these agree (SigLIP's are .5), else OpenAI's.
    """
    tags = [get_pretrained_cfg(name, tag) for tag in list_pretrained_tags_by_model(name)]
    statistics = {(tuple(tag["mean"]), tuple(tag["std"])) for tag in tags}
    return statistics.pop() if len(statistics) == 1 else (OPENAI_DATASET_MEAN, OPENAI_DATASET_STD)


@contextmanager
def _open_clip_log_silenced() -> Iterator[None]:
    """Silence open_clip's warning on the root logger that the model is random.

    Random weights are meant, before loading strictly.
    """
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
