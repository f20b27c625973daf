"""The base / novel protocol on photos: novel words have no box and no label in any stage.

Which words are novel is fixed in `ovarnet.splits`. Most rows have boxes given, and say what the
photo CLIP knows about words. An oracle, which had labels of all words, is trained beside it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ovarnet.data.labelled import VOCABULARY
from ovarnet.io.files import read_json, write_text
from ovarnet.io.word_files import read_vocabulary, write_vocabulary
from ovarnet.photos.chain import COCO128, Step, run_steps, write_missing_data
from ovarnet.splits import PHOTO_SPLIT
from ovarnet.vocabulary import Vocabulary

TRAINED = ("detection", "attributes")
TESTS = ("test_voc", COCO128)
ROWS = {"base": "base words", "all": "all words (oracle)"}
"""Which labels a row's CLIP had -> what it is called."""
PART = "protocol"
TEST_PHOTOS = 600
"""Of each test folder, at most."""
BOX_FREE = "test_voc_box_free"
BOX_FREE_PHOTOS = 150
"""Few, and one seed: 100 crops of every photo go through CLIP."""
PROPOSER_ITERATIONS = 400
"""A third of the shipped proposer's; both rows have their boxes from it."""
CALIBRATION_BOXES = 300
"""Few, since neither accuracy nor AP depends on the calibration."""


def run_protocol(
    root: Path,
    configs: Path,
    output: Path,
    seeds: int,
    run: Callable[[Sequence[str]], object],
) -> str:
    """Train and evaluate every row, once for each seed.

    Args:
        root: Folder with photos, flickr8k and coco128, see docs/photos.md.
        configs: Folder of the config of every stage.
        output: Where everything is written; data and runs of the chain on photos are used if they
            are there.
        seeds: How many.
        run: Called with the words of one `ovarnet` command; raises where the command fails.

    Returns:
        The table, also written to table.md.

    Raises:
        InputError: A folder of the data is missing.
    """
    data = output / "data"
    write_missing_data(root, data)
    for labels in ROWS:
        write_words(data, output / PART / "data" / labels, hide_novel=labels == "base")
    run_steps(protocol_steps(configs, output, seeds), run)
    table = protocol_table(output, seeds)
    write_text(output / PART / "table.md", table)
    return table


def write_words(data: Path, output: Path, *, hide_novel: bool) -> None:
    """Write the data of a row: the same files, linked, with the words of the protocol.

    Args:
        data: What `write_photo_data` wrote.
        output: Folder of the row.
        hide_novel: Novel words are marked as such in the training data, so that no stage sees a box
            or a label of theirs. The test data mark them for both rows.
    """
    for name in (*TRAINED, *TESTS):
        folder = output / name
        folder.mkdir(parents=True, exist_ok=True)
        for source in (data / name).iterdir():
            if source.name != VOCABULARY and not (folder / source.name).exists():
                (folder / source.name).symlink_to(source.resolve())
        words = read_vocabulary(data / name / VOCABULARY)
        hidden = name in TESTS or hide_novel
        write_vocabulary(folder / VOCABULARY, without_novel(words) if hidden else words)


def without_novel(words: Vocabulary) -> Vocabulary:
    """The same words; those that are novel in `PHOTO_SPLIT` are no base words."""
    categories, attributes = PHOTO_SPLIT["category"], PHOTO_SPLIT["attribute"]
    return Vocabulary(
        tuple(replace(w, seen=w.seen and categories.is_base(w.name)) for w in words.categories),
        tuple(replace(w, seen=w.seen and attributes.is_base(w.name)) for w in words.attributes),
    )


def protocol_steps(configs: Path, output: Path, seeds: int) -> list[Step]:
    """All steps after the data."""
    proposer = output / PART / "proposer" / "checkpoint"
    steps = []
    for labels in ROWS:
        clips = [_clip(configs, output, labels, seed) for seed in range(seeds)]
        models = [_clip_attr(configs, output, labels, seed, proposer) for seed in range(seeds)]
        box_given = [
            _box_given(output, labels, seed, test) for seed in range(seeds) for test in TESTS
        ]
        # one proposer for both rows, without boxes of novel categories
        once = [_proposer(configs, output, proposer)] if labels == "base" else []
        steps += [*clips, *once, *models, *box_given, _box_free(output, labels)]
    return steps


def _proposer(configs: Path, output: Path, checkpoint: Path) -> Step:
    return Step(
        "Proposer, base words",
        (
            "train",
            str(configs / "proposer.yaml"),
            f"output={checkpoint.parent}",
            *_training_data(output, "base")[:1],
            f"optimisation.iterations={PROPOSER_ITERATIONS}",
        ),
        checkpoint,
    )


def _training_data(output: Path, labels: str) -> list[str]:
    data = output / PART / "data" / labels
    return [f"{name}.root={data / name}" for name in TRAINED]


def _clip(configs: Path, output: Path, labels: str, seed: int) -> Step:
    runs = output / PART / labels / f"clip-{seed}"
    captions = output / "data" / "captions"
    return Step(
        f"CLIP, {ROWS[labels]}, seed {seed}",
        (
            "train",
            str(configs / "clip.yaml"),
            f"output={runs}",
            f"seed={seed}",
            f"features={output / PART / 'features'}",
            *_training_data(output, labels),
            f"captions={captions / 'captions.json'}",
            f"images={captions / 'images'}",
        ),
        runs / "checkpoint",
    )


def _clip_attr(configs: Path, output: Path, labels: str, seed: int, proposer: Path) -> Step:
    model, clip = _model(output, labels, seed), output / PART / labels / f"clip-{seed}"
    return Step(
        f"CLIP-Attr, {ROWS[labels]}, seed {seed}",
        (
            "train",
            str(configs / "clip_attr_zero_shot.yaml"),
            f"output={model.parent}",
            *_training_data(output, labels),
            f"clip.pretrained={clip / 'checkpoint' / 'clip.safetensors'}",
            f"proposer={proposer}",
            f"calibration_boxes={CALIBRATION_BOXES}",
        ),
        model,
    )


def _model(output: Path, labels: str, seed: int) -> Path:
    return output / PART / labels / f"zero_shot-{seed}" / "checkpoint"


def _box_given(output: Path, labels: str, seed: int, test: str) -> Step:
    product = metrics_file(output, labels, seed, test)
    options = ("--settings", "box-given", "--limit", str(TEST_PHOTOS))
    return _evaluation(output, labels, seed, test, product, options)


def _box_free(output: Path, labels: str) -> Step:
    product = metrics_file(output, labels, 0, BOX_FREE)
    options = ("--settings", "box-free", "--limit", str(BOX_FREE_PHOTOS))
    return _evaluation(output, labels, 0, "test_voc", product, options)


def _evaluation(
    output: Path, labels: str, seed: int, test: str, product: Path, options: tuple[str, ...]
) -> Step:
    return Step(
        f"Evaluation, {ROWS[labels]}, seed {seed}, {product.parent.name}",
        (
            "evaluate",
            "--model",
            str(_model(output, labels, seed)),
            "--dataset",
            "custom",
            "--root",
            str(output / PART / "data" / labels / test),
            *options,
            "--output",
            str(product.parent),
        ),
        product,
    )


def metrics_file(output: Path, labels: str, seed: int, test: str) -> Path:
    """Where the metrics of one model on one test folder are."""
    return output / PART / "evaluation" / f"{labels}-{seed}" / test / "metrics.json"


COLUMNS = (
    ("accuracy VOC base", "test_voc", "category accuracy", "base"),
    ("accuracy VOC novel", "test_voc", "category accuracy", "novel"),
    ("mAP aPascal base", "test_voc", "attribute mAP", "base"),
    ("mAP aPascal novel", "test_voc", "attribute mAP", "novel"),
    ("accuracy coco128 base", COCO128, "category accuracy", "base"),
    ("accuracy coco128 novel", COCO128, "category accuracy", "novel"),
    ("AP50 VOC base", BOX_FREE, "COCO-OVD AP50", "base"),
    ("AP50 VOC novel", BOX_FREE, "COCO-OVD AP50", "novel"),
)
"""(title, evaluation, measure, group of words); in coco128 all but VOC's base words are novel."""


def protocol_table(output: Path, seeds: int) -> str:
    """A Markdown table in percent: chance, then mean and deviation of each row over the seeds."""
    rows = {
        title: [
            [
                _row(metrics_file(output, labels, seed, test), measure, group)["value"]
                for seed in range(1 if test == BOX_FREE else seeds)
            ]
            for _, test, measure, group in COLUMNS
        ]
        for labels, title in ROWS.items()
    }
    first = next(iter(ROWS))
    chance = [
        [_row(metrics_file(output, first, 0, test), measure, group)["chance"]]
        for _, test, measure, group in COLUMNS
    ]
    lines = [
        "| labels in training | " + " | ".join(title for title, *_ in COLUMNS) + " |",
        "|---" * (len(COLUMNS) + 1) + "|",
    ]
    for title, values in {"none (chance)": chance, **rows}.items():
        lines.append(f"| {title} | " + " | ".join(map(_cell, values)) + " |")
    return "\n".join(lines) + "\n"


def _row(file: Path, measure: str, group: str) -> Mapping[str, float]:
    """The one row of a metrics.json of a measure; the first protocol of the attributes."""
    content = read_json(file, dict)
    return next(
        row for row in content["rows"] if (row["measure"], row["group"]) == (measure, group)
    )


def _cell(values: Sequence[float | None]) -> str:
    if None in values:
        return "-"
    percent = [100 * value for value in values if value is not None]
    mean = f"{statistics.fmean(percent):.1f}"
    return mean if len(percent) == 1 else f"{mean} ± {statistics.stdev(percent):.1f}"
