"""The interface of everything that proposes class-agnostic boxes.

It stands here, and its implementations in `ovarnet.proposals`, so that imports run one way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor

from ovarnet.structures import Proposals


@runtime_checkable
class Proposer(Protocol):
    """Where boxes come from when the user gives none."""

    @property
    def provenance(self) -> str:
        """The training data of the proposer in a few words, for reports and checks."""

    def propose(
        self, images: Sequence[Tensor], names: Sequence[str | None] | None = None
    ) -> list[Proposals]:
        """Propose boxes for each image.

        Args:
            images: N tensors (3, H, W), float RGB in [0, 1], of any sizes.
            names: file of each image, or None; only proposers that look boxes up read them.

        Returns:
            N `Proposals` on the CPU, boxes in pixels of their image, best first; may be empty.
        """
