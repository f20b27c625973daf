"""The charts of the report, as SVG bytes. Values are in percent."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ovarnet.evaluation.protocols import AUTHORS, FREE, GIVEN
from ovarnet.scenes.report.numbers import Metrics
from ovarnet.vocabulary import Word

BASE, NOVEL, ALL, QUIET = "#2f6db5", "#d1495b", "#444444", "#b8bec6"
STAGE_COLOURS = ("#9aa5b1", "#e0a100", "#2a9d8f", "#5b3a8c")
MEASURES = {
    "category accuracy\nbox-given": (GIVEN, "category accuracy", None),
    "attribute mAP\nbox-given": (GIVEN, "attribute mAP", None),
    "AP50\nbox-free": (FREE, "COCO-OVD AP50", None),
    "attribute mAP (authors)\nbox-free": (FREE, "attribute mAP", AUTHORS),
}
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a929c",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "svg.fonttype": "path",
    "axes.axisbelow": True,
}


def by_stage(models: Mapping[str, Metrics]) -> bytes:
    """Base and novel over the stages, one panel per measure; dashes: chance."""
    with style.context(STYLE):
        figure = Figure(figsize=(11, 3.1), layout="constrained")
        axes = figure.subplots(1, len(MEASURES))
        for axis, (title, key) in zip(axes, MEASURES.items(), strict=True):
            _base_and_novel(axis, models, *key)
            axis.set_title(title)
        figure.legend(
            *axes[0].get_legend_handles_labels(), frameon=False, loc="outside upper center", ncols=2
        )
        return _svg(figure)


def _base_and_novel(
    axis: Axes, models: Mapping[str, Metrics], setting: str, measure: str, protocol: str | None
) -> None:
    """Two curves over the models, the numbers at their points, dashed lines for chance."""
    names = [name.removeprefix("CLIP-Attr, ") for name in models]
    first, curves = next(iter(models.values())), []
    for group, colour in (("base", BASE), ("novel", NOVEL)):
        values = [metrics.value(setting, measure, group, protocol) for metrics in models.values()]
        axis.plot(range(len(names)), values, color=colour, marker="o", label=group, linewidth=2)
        chance = first.value(setting, measure, group, protocol, of="chance")
        axis.axhline(chance, color=colour, linestyle="--", linewidth=0.8, alpha=0.6)
        curves.append(values)
    base, novel = curves
    _number(axis, base, BASE, novel)
    _number(axis, novel, NOVEL, base)

    axis.set_xticks(range(len(names)), names, fontsize=8)
    axis.set_xlim(-0.4, len(names) - 0.6)
    axis.margins(y=0.25)
    axis.set_ylim(-0.1 * axis.get_ylim()[1], max(5, axis.get_ylim()[1]))
    axis.grid(axis="y", alpha=0.25)


def losses(histories: Mapping[str, Mapping[str, Sequence[tuple[int, float]]]]) -> bytes:
    """The total loss of every stage: logged values, faint, and their running mean.

    Args:
        histories: Stage -> name of a term -> (iteration, value) pairs, as in history.json.
    """
    with style.context(STYLE):
        figure = Figure(figsize=(11, 2.5), layout="constrained")
        axes = figure.subplots(1, max(1, len(histories)), squeeze=False)[0]
        for axis, (title, history) in zip(axes, histories.items(), strict=False):
            steps, values = (np.array(column) for column in zip(*history["total"], strict=True))
            axis.plot(
                steps, values, color=QUIET, linewidth=1, marker="." if len(steps) == 1 else None
            )
            axis.plot(steps, running_mean(values), color=BASE, linewidth=2)
            axis.set_title(title)
            axis.set_xlabel("iteration")
            axis.grid(alpha=0.25)
        axes[0].set_ylabel("loss (sum of terms)")
        return _svg(figure)


def attribute_words(models: Mapping[str, Metrics], words: Sequence[Word]) -> bytes:
    """AP of every attribute, box-given: a dot for each model and a tick for chance.

    Words are grouped by parent type; novel ones are red.
    """
    columns = {name: metrics.of_words(GIVEN, "attribute", "ap") for name, metrics in models.items()}
    chance = next(iter(models.values())).of_words(GIVEN, "attribute", "chance")
    with style.context(STYLE):
        figure = Figure(figsize=(11, 3.6), layout="constrained")
        axis = figure.subplots()
        places = _places(words)
        _dots(axis, columns, [word.name for word in words], places)
        axis.scatter(
            places,
            [chance[word.name] for word in words],
            marker="_",
            color="black",
            s=60,
            linewidths=1.2,
            label="chance",
        )
        for kind in dict.fromkeys(word.parent for word in words):
            inside = [
                place for place, word in zip(places, words, strict=True) if word.parent == kind
            ]
            axis.text(
                sum(inside) / len(inside),
                104,
                kind,
                ha="center",
                color=ALL,
                fontsize=8,
                style="italic",
            )
        _name_words(axis, places, words, "AP, %")
        return _svg(figure)


def category_words(models: Mapping[str, Metrics], words: Sequence[Word]) -> bytes:
    """AP50 of every category, box-free, one dot per model; base words first, novel ones in red."""
    words = sorted(words, key=lambda word: not word.seen)
    with style.context(STYLE):
        figure = Figure(figsize=(11, 3.2), layout="constrained")
        axis = figure.subplots()
        places = [index + (0 if word.seen else 1) for index, word in enumerate(words)]
        _dots(
            axis,
            {name: metrics.of_words(FREE, "category", "ap50") for name, metrics in models.items()},
            [word.name for word in words],
            places,
        )
        _name_words(axis, places, words, "AP50, %")
        return _svg(figure)


def minutes(steps: Mapping[str, float]) -> bytes:
    """One bar per step. steps: title -> minutes."""
    with style.context(STYLE):
        figure = Figure(figsize=(11, 0.27 * len(steps) + 0.5), layout="constrained")
        axis = figure.subplots()
        axis.barh(range(len(steps)), list(steps.values()), color=BASE, height=0.65)
        for place, value in enumerate(steps.values()):
            axis.annotate(
                f"{value:.1f}",
                (value, place),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        axis.set_yticks(range(len(steps)), list(steps))
        axis.invert_yaxis()
        axis.set_xlabel("minutes")
        axis.grid(axis="x", alpha=0.25)
        return _svg(figure)


def running_mean(values: np.ndarray) -> np.ndarray:
    """Mean over a tenth of the values around each, fewer at the ends."""
    half = max(1, len(values) // 20)
    return np.array(
        [values[max(0, place - half) : place + half + 1].mean() for place in range(len(values))]
    )


def _places(words: Sequence[Word]) -> list[float]:
    """A gap of one where the parent type changes."""
    places, place = [], 0.0
    for index, word in enumerate(words):
        place += 1 + (index > 0 and word.parent != words[index - 1].parent)
        places.append(place)
    return places


def _dots(
    axis: Axes,
    columns: Mapping[str, Mapping[str, float]],
    words: Sequence[str],
    places: Sequence[float],
) -> None:
    """Each word's line spans from its worst to its best model."""
    table = np.array(
        [[column.get(word, math.nan) for word in words] for column in columns.values()]
    )
    known = np.where(np.isnan(table).all(axis=0), 0, table)
    axis.vlines(
        places,
        np.nanmin(known, axis=0),
        np.nanmax(known, axis=0),
        color=QUIET,
        linewidth=1,
        zorder=0,
    )
    for name, values, colour in zip(columns, table, STAGE_COLOURS[-len(columns) :], strict=True):
        axis.scatter(
            places,
            values,
            color=colour,
            s=26,
            label=name,
            zorder=3,
            edgecolors="white",
            linewidths=0.5,
        )


def _name_words(axis: Axes, places: Sequence[float], words: Sequence[Word], label: str) -> None:
    axis.set_xticks(
        places, [word.name for word in words], rotation=55, ha="right", rotation_mode="anchor"
    )
    for tick, word in zip(axis.get_xticklabels(), words, strict=True):
        tick.set_color(ALL if word.seen else NOVEL)
    axis.set_ylabel(label)
    axis.set_ylim(0, 103)
    axis.set_xlim(min(places) - 1, max(places) + 1)
    axis.grid(axis="y", alpha=0.25)
    axis.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.22), ncols=5, fontsize=8)


def _number(axis: Axes, values: Sequence[float], colour: str, others: Sequence[float]) -> None:
    """Write each value at its point, on the side away from the other curve."""
    for place, (value, other) in enumerate(zip(values, others, strict=True)):
        if not math.isnan(value):
            above = colour == BASE if value == other else not value < other
            axis.annotate(
                f"{value:.0f}",
                (place, value),
                (0, 6 if above else -13),
                textcoords="offset points",
                ha="center",
                color=colour,
                fontsize=8,
            )


def _svg(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
