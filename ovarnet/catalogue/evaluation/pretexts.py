"""Accuracy of the pre-training tasks on products that were not trained on.

N samples of a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ovarnet.catalogue.losses.pretext import accuracy
from ovarnet.catalogue.modeling.matcher import SLOT_TASKS, MatcherNetwork
from ovarnet.catalogue.pretext.masking import NOT_PREDICTED
from ovarnet.catalogue.pretext.patch_tasks import BLANK, GREY, MATCH, WORDS
from ovarnet.catalogue.training.matcher import task_losses
from ovarnet.catalogue.training.matcher_data import MatcherDataset

BATCH = 64


@dataclass(frozen=True)
class TaskResult:
    """How well a task is done.

    Attributes:
        value: Accuracy, or the KL divergence of grey and blank patches.
        chance: Accuracy of a guess; for grey and blank the KL divergence of the mean feature of
            the products, which looks at no patch; None: not known.
    """

    value: float
    chance: float | None


@torch.no_grad()
def evaluate_pretexts(
    network: MatcherNetwork, data: MatcherDataset, visits: int
) -> dict[str, TaskResult]:
    """Evaluate every task of a matcher on corrupted products.

    Args:
        network: In evaluation mode.
        data: Held-out products, with the tasks of the network.
        visits: How often each product is corrupted anew.

    Returns:
        Task -> result.
    """
    sums: dict[str, list[tuple[float, int]]] = {}
    words: list[int] = []
    cleans: list[tuple[torch.Tensor, torch.Tensor]] = []
    for visit in range(visits):
        for start in range(0, len(data), BATCH):
            rows = range(start, min(start + BATCH, len(data)))
            batch = data.__getitems__([(visit, row) for row in rows])
            losses, measured = task_losses(network, batch)
            predicted = batch.words[batch.words != NOT_PREDICTED]
            words += predicted.tolist()
            level = network.encoder.layout.level_of.expand_as(batch.restored)[batch.restored]
            is_last = level == len(network.encoder.layout.levels) - 1
            cleans.append((batch.clean, is_last))
            counts = {WORDS: len(predicted), GREY: int((~is_last).sum()), BLANK: int(is_last.sum())}
            for task in network.tasks:
                value = losses[task] if task in (GREY, BLANK) else measured[f"{task} accuracy"]
                sums.setdefault(task, []).append((value.item(), counts.get(task, len(rows))))
    chances = _chances(network.tasks, words, cleans)
    return {
        task: TaskResult(
            sum(value * count for value, count in parts) / max(1, sum(n for _, n in parts)),
            chances[task],
        )
        for task, parts in sums.items()
    }


def _chances(
    tasks: Sequence[str],
    words: Sequence[int],
    cleans: Sequence[tuple[torch.Tensor, torch.Tensor]],
) -> dict[str, float | None]:
    chances: dict[str, float | None] = {MATCH: 0.5, WORDS: None}
    chances |= {task: 1 / classes for task, (_, classes) in SLOT_TASKS.items()}
    if words:  # always the most frequent of them
        found = torch.tensor(words)
        constant = torch.nn.functional.one_hot(found.mode().values, int(found.max()) + 1)
        chances[WORDS] = accuracy(constant.expand(len(found), -1), found).item()
    clean = torch.cat([part for part, _ in cleans])
    is_last = torch.cat([flags for _, flags in cleans])
    for task, chosen in ((GREY, ~is_last), (BLANK, is_last)):
        if task in tasks:
            target = clean[chosen].softmax(dim=1)
            constant = target.mean(dim=0)
            divergence = (target * (target.log() - constant.log())).sum(dim=1)
            chances[task] = divergence.mean().item()
    return chances
