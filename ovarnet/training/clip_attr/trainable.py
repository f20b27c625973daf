"""Which parts of CLIP-Attr learn, how fast, and how a trained one is saved.

Parts are named by module (`ovarnet.config.LrMultipliers`), never by what a parameter's name
contains.
"""

from __future__ import annotations

import torch
from torch import nn

from ovarnet.config import LrMultipliers, Optimisation
from ovarnet.errors import InputError
from ovarnet.modeling.clip.clip import Clip
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.training.engine.schedule import parameter_groups


class TrainableClipAttr(nn.Module):
    """CLIP and text classifier in training. Everything without a learning rate is frozen; BatchNorm
    always keeps CLIP's statistics.

    clip and classifier: as in `ClipAttr`, the classifier with a bias. own: a module of the stage
    alone; it learns at the full rate.
    """

    def __init__(
        self,
        clip: Clip,
        classifier: TextClassifier,
        parts: LrMultipliers,
        own: nn.Module | None = None,
    ):
        super().__init__()
        clip.to(
            memory_format=torch.channels_last
        )  # convolutions of the image tower take half the time on a CPU
        self.clip, self.classifier, self.parts, self.own = clip, classifier, parts, own
        self.requires_grad_(False)
        for parameters, rate in self._parts():
            for parameter in parameters:
                parameter.requires_grad_(rate > 0)
        if not any(parameter.requires_grad for parameter in self.parameters()):
            raise InputError("trained: every part has rate 0; nothing would learn")

    def groups(self, settings: Optimisation) -> list[dict]:
        """The optimiser's groups: each part at its share of the learning rate."""
        return [
            group
            for parameters, rate in self._parts()
            if rate > 0
            for group in parameter_groups(
                nn.ParameterList(parameters), settings.lr * rate, settings.weight_decay
            )
        ]

    def train(self, mode: bool = True) -> TrainableClipAttr:
        """Towers stay in eval mode, frozen or not: the small ones have BatchNorm, and neither has
        dropout.
        """
        super().train(mode)
        self.clip.eval()
        return self

    def bound_temperature(self) -> None:
        self.clip.bound_logit_scale()

    def _parts(self) -> list[tuple[list[nn.Parameter], float]]:
        parts = self.parts
        return [
            (list(self.classifier.prompts.parameters()), parts.prompts),
            (list(self.clip.text_parameters()), parts.text_tower),
            (list(self.clip.image_parameters()), parts.image_tower),
            ([self.clip.logit_scale], parts.scale),
            ([self.classifier.bias], parts.bias),
            (list(self.own.parameters()) if self.own else [], 1.0),
        ]
