"""The table of finding by a phrase: rank-1 accuracies by question and group of phrases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ovarnet.scenes.world.referring import KINDS

RULE, WHOLE = "category and attributes together (the rule)", "whole phrase as one embedding"
QUESTIONS = ("given", "found", "folder")
FOLDER = 100
"""Most images of a folder."""


def summary(
    hits: dict[str, dict[str, list[float]]],
    groups: dict[str, list[tuple[str, ...]]],
    understood: Sequence[bool],
) -> dict:
    """Rank-1 accuracies and the lead of the rule over the whole phrase.

    Args:
        hits: Row -> question -> 1 or 0 for each phrase.
        groups: "image" (given, found) and "folder" -> the groups of each phrase. A phrase is base
            when all its words are.
        understood: Whether the parser read each phrase as intended.

    Returns:
        Percentages by row, question and group; numbers of phrases; mean lead and half-width of its
        95 % interval (paired over phrases).
    """

    def cells(values: Sequence[float], owners: Sequence[tuple[str, ...]]) -> dict[str, float]:
        return {
            group: 100 * float(np.mean(chosen))
            for group in ("all", "base", "novel", *KINDS)
            if (
                chosen := [value for value, own in zip(values, owners, strict=True) if group in own]
            )
        }

    owners = {
        question: groups["folder" if question == "folder" else "image"] for question in QUESTIONS
    }
    lead = {}
    for question in QUESTIONS:
        difference = 100 * (np.array(hits[RULE][question]) - np.array(hits[WHOLE][question]))
        lead[question] = {
            "mean": float(difference.mean()),
            "interval": float(1.96 * difference.std(ddof=1) / np.sqrt(len(difference))),
        }
    return {
        "phrases": {
            question: {
                group: sum(group in own for own in owners[question])
                for group in ("all", "base", "novel", *KINDS)
            }
            for question in QUESTIONS
        },
        "understood": 100 * float(np.mean(understood)),
        "rank_1": {
            name: {question: cells(values, owners[question]) for question, values in row.items()}
            for name, row in hits.items()
        },
        "lead_over_whole_phrase": lead,
    }


def markdown(result: dict) -> str:
    """One Markdown table per question. result: of `summary`."""
    titles = {
        "given": "boxes given",
        "found": "boxes found, IoU >= 0.5",
        "folder": f"best box of a folder of up to {FOLDER} images",
    }
    lines = [f"phrases read as intended: {result['understood']:.1f} %"]
    for question, title in titles.items():
        counts = result["phrases"][question]
        groups = [group for group, count in counts.items() if count]
        lines += [
            "",
            f"Rank-1 accuracy in %, {title}",
            "",
            "| | " + " | ".join(f"{group} ({counts[group]})" for group in groups) + " |",
            "|---" * (len(groups) + 1) + "|",
        ]
        lines += [
            f"| {name} | " + " | ".join(f"{row[question][group]:.1f}" for group in groups) + " |"
            for name, row in result["rank_1"].items()
        ]
        lead = result["lead_over_whole_phrase"][question]
        lines += [
            "",
            f"the rule minus the whole phrase: {lead['mean']:+.1f} ± {lead['interval']:.1f} (95 "
            "%, paired)",
        ]
    return "\n".join(lines) + "\n"
