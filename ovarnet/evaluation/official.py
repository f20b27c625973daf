"""Attribute metrics as the official VAW and OVAD tools print them: their scale and their sentinels
instead of nan.
"""

from __future__ import annotations

import numpy as np

from ovarnet.evaluation.attributes import AttributeMetrics, group_metrics


def official_view(metrics: AttributeMetrics) -> dict[str, dict]:
    """{"classes": one array entry per word, "groups": {group: numbers}}, each with "ap",
    "rand_precision" and {pass: rates}.

    A group's rates stand under "per_class" (mean over its words) and "overall" (counts summed
    first). vaw: fractions. AP is 0 without positives; undefined rates are -1, and one -1 among a
    group's words makes the group's mean -1. ovad: times 100. AP is nan without positives. Of one
    word, undefined recall, tnr and balanced accuracy are -100, undefined F1 is nan; of a group,
    means over the defined words are printed: nan where no word is defined, but -100 for F1;
    undefined overall rates are -100. The reducer of `metrics` plays no part: each tool has its own.
    """
    if metrics.rule == "vaw":
        scale, reducer, word_sentinel, group_sentinel = (
            1.0,
            "vaw",
            lambda rate: -1.0,
            lambda rate: -1.0,
        )
    else:
        scale, reducer = 100.0, "skip"
        word_sentinel, group_sentinel = (
            (lambda rate: np.nan if rate == "f1" else -1.0),
            (lambda rate: -1.0 if rate == "f1" else np.nan),
        )

    def printed(rates: dict, sentinel) -> dict:
        return {
            rate: scale * np.where(np.isnan(value), sentinel(rate), value)
            for rate, value in rates.items()
        }

    word_rates = {key: counts.rates(metrics.rule) for key, counts in metrics.passes.items()}
    ap = np.nan_to_num(metrics.ap) if reducer == "vaw" else metrics.ap
    view = {
        "classes": {
            "ap": scale * ap,
            "rand_precision": scale * metrics.rand_precision,
            **{key: printed(rates, word_sentinel) for key, rates in word_rates.items()},
        },
        "groups": {},
    }
    for name, columns in metrics.members.items():
        group = group_metrics(metrics, columns, reducer)
        view["groups"][name] = {
            "ap": scale * group.ap,
            "rand_precision": scale * group.rand_precision,
            "per_class": {
                key: printed(rates, group_sentinel) for key, rates in group.per_word.items()
            },
            "overall": {
                key: printed(rates, lambda rate: -1.0) for key, rates in group.overall.items()
            },
        }
    return view
