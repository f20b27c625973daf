"""CLIP and text classifier as the stages train them: frozen modules, and rates of the others.

Modules are named by the fields of `ovarnet.config.LrMultipliers`, never by substrings of parameter
names.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ovarnet.config import LrMultipliers, Optimisation
from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.phrase_prompts import PhrasePrompts
from ovarnet.training.engine.schedule import parameter_groups


def check_room(clip: Clip, vectors: int, setting: str) -> None:
    """Check that learned vectors leave room for a word in the context of the text tower.

    Args:
        clip: Whose text tower reads them.
        vectors: How many.
        setting: Named in the error.

    Raises:
        InputError: They do not.
    """
    room = clip.require_text_tower().room
    if vectors >= room:
        raise InputError(
            f"{setting} asks for {vectors} learned vectors, but the text tower of {clip.name} "
            f"reads {room} tokens, those of the word included; use fewer"
        )


class TrainableClipAttr(nn.Module):
    """CLIP and text classifier; whatever has learning rate 0 is frozen.

    Args:
        clip: As in `ClipAttr`; BatchNorm always keeps its statistics.
        classifier: As in `ClipAttr`, with a bias.
        lr_multipliers: Learning rate of each module as a multiple of the full one.
        phrase_prompts: Of step II, trained at the full rate; None: the stage has none.

    Raises:
        InputError: Every module is frozen.
    """

    def __init__(
        self,
        clip: Clip,
        classifier: TextClassifier,
        lr_multipliers: LrMultipliers,
        phrase_prompts: PhrasePrompts | None = None,
    ):
        super().__init__()
        # channels-last halves the time of the image tower's convolutions on a CPU
        clip.to(memory_format=torch.channels_last)
        self.clip, self.classifier = clip, classifier
        self.lr_multipliers, self.phrase_prompts = lr_multipliers, phrase_prompts
        self.requires_grad_(False)
        for parameters, multiplier in self._modules_and_rates():
            for parameter in parameters:
                parameter.requires_grad_(multiplier > 0)
        if not any(parameter.requires_grad for parameter in self.parameters()):
            raise InputError("lr_multipliers: all are 0, so that nothing would be trained")

    def groups(self, settings: Optimisation) -> list[dict[str, Any]]:
        """Parameter groups of the optimiser: each module at its multiple of the learning rate."""
        return [
            group
            for parameters, multiplier in self._modules_and_rates()
            if multiplier > 0
            for group in parameter_groups(
                nn.ParameterList(parameters), settings.lr * multiplier, settings.weight_decay
            )
        ]

    def train(self, mode: bool = True) -> TrainableClipAttr:
        """Set the mode; towers stay in eval mode, frozen or not.

        Small ones have BatchNorm, none has dropout.
        """
        super().train(mode)
        self.clip.eval()
        return self

    def bound_temperature(self) -> None:
        """Clamp exp(theta) to CLIP's limit of 100; called after each step."""
        self.clip.bound_logit_scale()

    def _modules_and_rates(self) -> list[tuple[list[nn.Parameter], float]]:
        multipliers = self.lr_multipliers
        return [
            (list(self.classifier.prompts.parameters()), multipliers.prompts),
            (list(self.clip.text_parameters()), multipliers.text_tower),
            (list(self.clip.image_parameters()), multipliers.image_tower),
            ([self.clip.logit_scale], multipliers.scale),
            ([self.bias], multipliers.bias),
            (list(self.phrase_prompts.parameters()) if self.phrase_prompts else [], 1.0),
        ]

    @property
    def bias(self) -> nn.Parameter:
        """The learnable b of z = exp(theta) cos + b."""
        if self.classifier.bias is None:
            raise ValueError("TrainableClipAttr needs a classifier with a bias")
        return self.classifier.bias
