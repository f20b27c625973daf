"""The base / novel protocol on photos: novel words have no box and no label in any stage.

Which words are novel is fixed in `ovarnet.splits`. Most columns have boxes given, and say what a
model knows about words. An oracle, which had labels of all words, is trained beside the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ovarnet.data.labelled import VOCABULARY
from ovarnet.errors import InputError
from ovarnet.evaluation.seed_table import markdown
from ovarnet.io.files import read_json, write_text
from ovarnet.io.word_files import read_vocabulary, write_vocabulary
from ovarnet.photos.chain import COCO128, run_steps, write_missing_data
from ovarnet.photos.protocol_steps import (
    BOX_FREE,
    PART,
    ROWS,
    TESTS,
    TRAINED,
    ProtocolSteps,
    Row,
)
from ovarnet.splits import PHOTO_SPLIT
from ovarnet.vocabulary import Vocabulary

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


def run_protocol(
    root: Path,
    configs: Path,
    output: Path,
    seeds: int,
    rows: Sequence[str],
    run: Callable[[Sequence[str]], object],
    *,
    quick: bool = False,
) -> str:
    """Train and evaluate every row, once for each seed.

    Args:
        root: Folder with photos, flickr8k and coco128, see docs/photos.md.
        configs: Folder of the config of every stage.
        output: Where everything is written; data and runs of the chain on photos are used if they
            are there.
        seeds: How many.
        rows: Only rows whose title contains one of these are run.
        run: Called with the words of one `ovarnet` command; raises where the command fails.
        quick: Few photos and iterations, to see that every row runs.

    Returns:
        The table of all rows that have been run, also written to table.md.

    Raises:
        InputError: A folder of the data is missing, or no row has such a title.
    """
    wanted = [row for row in ROWS if any(text in row.title for text in rows)]
    if not wanted:
        titles = "; ".join(row.title for row in ROWS)
        raise InputError(f"no row contains {' or '.join(rows)}; the rows are: {titles}")
    data = output / "data"
    write_missing_data(root, data, quick=quick)
    for labels in {row.labels for row in ROWS}:
        write_words(data, output / PART / "data" / labels, hide_novel=labels == "base")
    steps = ProtocolSteps(configs, output)
    run_steps(steps(wanted, seeds), run, quick=quick)
    table = protocol_table(steps, seeds)
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


def protocol_table(steps: ProtocolSteps, seeds: int) -> str:
    """A Markdown table in percent: chance, then mean and deviation of each row over the seeds."""
    measured = {row: [measures(steps, row, seed) for seed in range(seeds)] for row in ROWS}
    done = {row: [one for one in results if one] for row, results in measured.items()}
    chance = next(
        (measures(steps, row, 0, "chance") for row, results in measured.items() if results[0]), {}
    )
    results = {"chance": [chance]} | {row.title: found for row, found in done.items() if found}
    return markdown(results, [title for title, *_ in COLUMNS])


def measures(steps: ProtocolSteps, row: Row, seed: int, field: str = "value") -> dict[str, float]:
    """Title of a column -> percent, of the evaluations that have been run.

    Args:
        steps: Where they are.
        row: Which model.
        seed: Of its training.
        field: Of metrics.json: "value", or "chance", which box-free AP does not have.
    """
    found = {}
    for title, test, measure, group in COLUMNS:
        file = steps.metrics(row, seed, test)
        if file.is_file():
            # the first protocol of the attributes
            value = next(
                one[field]
                for one in read_json(file, dict)["rows"]
                if (one["measure"], one["group"]) == (measure, group)
            )
            if value is not None:
                found[title] = 100 * value
    return found
