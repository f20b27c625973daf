"""Write the report of a finished chain: report.html with everything, tables.md with the tables."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from html import escape
from itertools import pairwise
from pathlib import Path

from ovarnet.drawing.curves import curves
from ovarnet.evaluation.inference import detect_all
from ovarnet.evaluation.protocols import AUTHORS, FREE
from ovarnet.io.files import write_text
from ovarnet.io.images import read_image
from ovarnet.modeling.predictor import Predictor
from ovarnet.scenes.chain.steps import Places
from ovarnet.scenes.report import figures, mistakes, page
from ovarnet.scenes.report.chain_results import STUDENT, TEACHER, ChainResults
from ovarnet.scenes.report.numbers import read_history
from ovarnet.scenes.report.pictures import numbered_boxes, surroundings
from ovarnet.scenes.report.side_by_side import (
    ATTRIBUTES,
    MINIMUM_IOU,
    THRESHOLD,
    Column,
    compare,
    pick_images,
    truth_column,
)
from ovarnet.structures import Annotations, Detections
from ovarnet.vocabulary import Vocabulary

PICTURED, WORST = 6, 16
"""Images shown side by side, and mistakes shown of each kind."""


def write_report(places: Places, *, quick: bool) -> tuple[Path, str]:
    """Write the folder report/ of a chain.

    Args:
        places: Where the chain wrote.
        quick: Say on the page that the numbers of this chain mean nothing.

    Returns:
        The path of report.html, and the tables as Markdown.
    """
    started, folder = time.monotonic(), places.output / "report"
    folder.mkdir(exist_ok=True)
    chain = ChainResults.open(places)
    main = [*_numbers(chain), *_curves(chain), *_side_by_side(chain), *_mistakes(chain)]
    minutes = sum(chain.minutes.values()) + (time.monotonic() - started) / 60
    parts = [*_head(chain, minutes, quick), *main, *_run(chain, minutes)]
    text = "\n".join(table.markdown() for table in chain.tables())
    write_text(folder / "tables.md", text)
    write_text(folder / "report.html", page.page("OvarNet on scenes", parts))
    return folder / "report.html", text


def _head(chain: ChainResults, minutes: float, quick: bool) -> list[str]:
    words = chain.vocabulary
    novel = [sum(not word.seen for word in kind) for kind in (words.categories, words.attributes)]
    warning = (
        '<p class="warning"><b>A quick run.</b> It shows that every stage runs; its numbers '
        "and pictures mean nothing.</p>"
    )
    return [
        "<h1>OvarNet on scenes, from nothing</h1>",
        f'<p class="soft">Written {date.today().isoformat()} by <code>ovarnet reproduce '
        "scenes</code></p>",
        *([warning] if quick else []),
        f"<p>A world of drawn scenes with {len(words.categories)} categories and "
        f"{len(words.attributes)} attributes. {novel[0]} categories and {novel[1]} attributes are "
        "<b>novel</b>: no box and no label of them is used in any training stage; they occur in "
        "captions only. A CLIP is trained from captions alone, a proposer and CLIP-Attr (step I) "
        "from base boxes and labels, CLIP-Attr (step II) from captions again, and OvarNet, which "
        "needs one pass per image, from base boxes and by distillation from CLIP-Attr.</p>",
        page.cards(_headlines(chain, minutes)),
    ]


def _headlines(chain: ChainResults, minutes: float) -> list[tuple[str, str]]:
    teacher, student, times = chain.metrics[TEACHER], chain.metrics[STUDENT], chain.milliseconds

    def kept(label: str, measure: str, protocol: str | None) -> tuple[str, str]:
        ours, theirs = (
            metrics.value(FREE, measure, "novel", protocol) for metrics in (student, teacher)
        )
        share = f", {100 * ours / theirs:.0f} % of it" if theirs > 0 else ""
        return f"{ours:.1f}", f"{label} of OvarNet, in %; its teacher: {theirs:.1f}{share}"

    return [
        (
            f"{minutes:.1f} min",
            f"from nothing to this page, on {chain.ledger.machine['cores']} cores",
        ),
        kept("novel AP50 (box-free)", "COCO-OVD AP50", None),
        kept("novel attribute mAP (box-free, authors)", "attribute mAP", AUTHORS),
        (
            f"{times[STUDENT]:.0f} ms",
            f"per image for OvarNet; CLIP-Attr: {times[TEACHER]:.0f} ms, "
            f"{times[TEACHER] / times[STUDENT]:.1f} times as long",
        ),
    ]


def _numbers(chain: ChainResults) -> list[str]:
    given, free, types, proposals, speed = (table.html() for table in chain.tables())
    shown = {
        title: metrics for title, metrics in chain.metrics.items() if title in (TEACHER, STUDENT)
    }
    boxes = sum(map(len, chain.images))
    return [
        "<h2>Results</h2>",
        f"<p>Test split: {len(chain.images)} images, {boxes} boxes, never used in training. "
        "Chance: constant scores, or a category drawn evenly. Bold: the best stage.</p>",
        page.figure(
            figures.by_stage(chain.metrics), "Base and novel words over the stages. Dashed: chance."
        ),
        given,
        free,
        proposals,
        speed,
        "<h3>Word by word</h3>",
        types,
        page.figure(
            figures.attribute_words(chain.metrics, chain.vocabulary.attributes),
            "Average precision of every attribute, boxes given, at every stage. Novel attributes "
            "in red; black tick: chance.",
        ),
        page.figure(
            figures.category_words(shown, chain.vocabulary.categories),
            "AP50 of every category, boxes found by the model: OvarNet beside its teacher. Novel "
            "categories in red.",
        ),
    ]


def _curves(chain: ChainResults) -> list[str]:
    names = {
        "clip": "CLIP",
        "proposer": "Proposer",
        "step_one": "Step I",
        "step_two": "Step II",
        "ovarnet": "OvarNet",
    }
    histories = {title: read_history(chain.places.run(name)) for name, title in names.items()}
    histories = {title: history for title, history in histories.items() if history.get("total")}
    parts = ["<h2>Training curves</h2>"]
    if histories:
        parts.append(
            page.figure(
                figures.losses(histories),
                "Total loss of every training stage: logged values, and their running mean.",
            )
        )
    for title, history in histories.items():
        path = chain.places.output / "report" / f"curves_{title.lower().replace(' ', '_')}.png"
        curves(history, path)
        parts.append(
            page.details(
                f"{title}: every term, gradient norm and learning rate",
                page.picture(path.read_bytes(), title),
            )
        )
    return parts


def _side_by_side(chain: ChainResults) -> list[str]:
    images = pick_images(chain.images, chain.vocabulary, PICTURED)
    found = {
        title: dict(
            zip(
                (image.file for image in images),
                _detections(model, chain.vocabulary, images, box_given=False),
                strict=True,
            )
        )
        for title, model in chain.models.items()
    }
    parts = [
        "<h2>The same images at every stage</h2>",
        "<p>The first test images with 2 to 4 objects, one of them of a novel category; not "
        f"chosen by result. Detections from score {THRESHOLD} on, with the {ATTRIBUTES} best "
        "attributes. A detection has the number of the object that it matches (one to one, IoU "
        f"&ge; {MINIMUM_IOU}); + matches none. "
        '<span class="right">Green: true.</span> <span class="wrong">Red: false.</span> '
        '<span class="open">Grey: not annotated.</span> <span class="isnovel">Underlined: '
        "novel.</span></p>",
    ]
    for image in images:
        columns = {"annotated": truth_column(image, chain.vocabulary)}
        columns |= {
            title: compare(by_file[image.file], image, chain.vocabulary)
            for title, by_file in found.items()
        }
        parts.append(
            page.stages(
                {
                    title: (_numbered(image.file, column), column)
                    for title, column in columns.items()
                }
            )
        )
    return parts


def _numbered(file: str, column: Column) -> bytes:
    return numbered_boxes(
        read_image(file),
        [item.box for item in column.found],
        [item.number for item in column.found],
    )


def _mistakes(chain: ChainResults) -> list[str]:
    model, words = chain.models[STUDENT], chain.vocabulary
    given, free = (
        list(
            zip(chain.images, _detections(model, words, chain.images, box_given=boxes), strict=True)
        )
        for boxes in (True, False)
    )
    kinds = {
        "Wrong categories, boxes given": mistakes.wrong_categories(given, words, WORST),
        "False attributes, boxes given": mistakes.false_attributes(given, words, WORST),
        "Missed attributes, boxes given": mistakes.missed_attributes(given, words, WORST),
        "ShownObject where no object fits, boxes found": mistakes.background_detections(
            free, WORST
        ),
    }
    parts = [
        "<h2>The worst mistakes of OvarNet</h2>",
        "<p>Those of the highest scores, on all test images, at most two of a word and one of a "
        'box. <span class="wrong">Red: predicted.</span> <span class="right">Green: '
        "true.</span></p>",
    ]
    for title, found in kinds.items():
        shown = [
            (surroundings(read_image(one.file), one.box), one.predicted, one.true) for one in found
        ]
        parts += [f"<h3>{escape(title)}</h3>", page.crops(shown)]
    rows = [
        [true, predicted, f"{times} of {boxes}"]
        for true, predicted, times, boxes in mistakes.confusions(given, words)[:10]
    ]
    return [
        *parts,
        "<h3>Categories most often confused</h3>",
        page.plain_table(["true", "predicted", "boxes"], rows, amounts=[2]),
    ]


def _detections(
    model: Predictor, vocabulary: Vocabulary, images: Sequence[Annotations], *, box_given: bool
) -> list[Detections]:
    return [
        found
        for _, found in detect_all(model, vocabulary, images, box_given=box_given, progress=False)
    ]


def _run(chain: ChainResults, minutes: float) -> list[str]:
    entries = chain.ledger.entries.values()
    rows = [
        [
            entry.title,
            _amount(entry.settings),
            _seed(entry.settings),
            entry.finished,
            f"{entry.seconds / 60:.2f}",
            f"{entry.cpu_seconds / 60:.2f}",
        ]
        for entry in entries
    ]
    rows.append(
        [
            "Report, with its pictures and times",
            "",
            "",
            "",
            f"{minutes - sum(chain.minutes.values()):.2f}",
            "",
        ]
    )
    machine = ", ".join(f"{name} {value}" for name, value in chain.ledger.machine.items())
    commands = "\n".join(f"ovarnet {' '.join(entry.command)}" for entry in entries)
    return [
        "<h2>What was run</h2>",
        f"<p>{minutes:.1f} minutes in all. Machine: {escape(machine)}.</p>",
        page.figure(figures.minutes(chain.minutes), "Minutes of every step, as measured."),
        page.plain_table(
            ["step", "amount", "seed", "finished", "minutes", "of processor"], rows, amounts=[4, 5]
        ),
        page.details(
            "The commands, one after another", f"<pre><code>{escape(commands)}</code></pre>"
        ),
    ]


def _amount(settings: dict | list) -> str:
    """How much a step did, from its settings."""
    if isinstance(settings, list):
        counts = {
            word.removeprefix("--"): after
            for word, after in pairwise(settings)
            if after.isdecimal()
        }
        return ", ".join(f"{name} {int(value):,}" for name, value in counts.items())
    optimisation = settings.get("optimisation")
    return (
        f"{optimisation['iterations']:,} iterations of {optimisation['batch_size']}"
        if optimisation
        else f"{settings['calibration_boxes']:,} boxes"
    )


def _seed(settings: dict | list) -> str:
    return str(settings.get("seed", "")) if isinstance(settings, dict) else ""
