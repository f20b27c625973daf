"""The model card of a checkpoint: its own settings, and numbers from evaluation files.

Nothing is stated that is not in the model or in the files given.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData

from ovarnet.errors import InputError
from ovarnet.io.files import read_json
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.text.prompts import LearnedPrompts
from ovarnet.vocabulary import Word

PIPELINE = "zero-shot-object-detection"
TAGS = ("open-vocabulary", "attributes", "object-detection")
PAPER = "https://arxiv.org/abs/2301.09506"
COLUMNS = ("setting", "measure", "protocol", "group", "value", "chance", "of")
PERCENT = ("value", "chance")


def card_data(data: ModelCardData, license_id: str | None = None) -> ModelCardData:
    """The metadata of the card, by which the Hub finds and filters models.

    Args:
        data: what the mixin knows, such as the library.
        license_id: the Hub's identifier, such as "apache-2.0"; None leaves it out.
    """
    known: dict[str, Any] = data.to_dict()
    known |= {"pipeline_tag": PIPELINE, "tags": sorted({*known.get("tags", ()), *TAGS})}
    if license_id:
        known["license"] = license_id
    return ModelCardData(**known)


def card_text(
    model: ClipAttr | OvarNet,
    *,
    evaluations: Sequence[str | Path] = (),
    notes: str = "",
    repo_id: str = "ORGANISATION/NAME",
) -> str:
    """The body of the card, as Markdown.

    Args:
        model: what the card is about.
        evaluations: metrics.json files that ``ovarnet evaluate`` wrote for this model.
        notes: what else a reader should know, such as the data of the training and the limits.
        repo_id: ORGANISATION/NAME.

    Raises:
        InputError: a file that ``ovarnet evaluate`` did not write.
    """
    kind = (
        "OvarNet, single pass" if isinstance(model, OvarNet) else "CLIP-Attr, a pass for each crop"
    )
    title = repo_id.rpartition("/")[2]
    usage = (
        "```python\n"
        "import ovarnet\n\n"
        f'model = ovarnet.load("hf:{repo_id}")\n'
        'found = model.detect("photo.jpg", categories=["mug"], attributes=["red", "striped"])\n'
        "```"
    )
    parts = [
        f"# {title}",
        f"Finds objects in an image and scores any categories and attributes named at inference "
        f"({kind}; the method is that of [OvarNet]({PAPER})).",
        usage,
        f"## Model\n\n{_table(('', ''), model_facts(model).items())}",
        f"## Measured\n\n{_measured(evaluations)}",
    ]
    if notes.strip():
        parts.append(f"## Notes\n\n{notes.strip()}")
    return "\n\n".join(parts) + "\n"


def model_facts(model: ClipAttr | OvarNet) -> dict[str, str]:
    """What a reader asks first of a model: name of the fact -> its value."""
    prompts = model.classifier.prompts
    facts = {"text tower": model.clip.name}
    if isinstance(model, OvarNet):
        facts["image backbone"] = str(model.settings.get("backbone", {}).get("name", "unknown"))
        facts["boxes"] = "its own region proposal network"
    else:
        facts["image tower"] = model.clip.name
        facts["boxes"] = model.proposer.provenance
    facts["prompts"] = (
        f"learned, {sum(prompts.counts)} vectors"
        if isinstance(prompts, LearnedPrompts)
        else "templates"
    )
    facts["categories of the training"] = _words(model.vocabulary.categories)
    facts["attributes of the training"] = _words(model.vocabulary.attributes)
    facts["threshold of a detection"] = f"{model.threshold:g}"
    facts["parameters"] = f"{sum(p.numel() for p in model.parameters()):,}"
    return facts


def _words(words: Sequence[Word]) -> str:
    base = sum(word.seen for word in words)
    return f"{len(words):,}, of which {base:,} were supervised (base words)" if words else "none"


def _measured(evaluations: Sequence[str | Path]) -> str:
    """A table for each file, with what was evaluated above it."""
    if not evaluations:
        return "No evaluation was given for this card."
    return "\n\n".join(_evaluation(file) for file in evaluations)


def _evaluation(file: str | Path) -> str:
    report = read_json(file, dict)
    rows, about = report.get("rows"), report.get("about")
    if not isinstance(rows, list) or not isinstance(about, dict) or not rows:
        raise InputError(f"{file}: no results of ovarnet evaluate; give its metrics.json")
    if not all(map(_is_row, rows)):
        raise InputError(f"{file}: rows of another form; run ovarnet evaluate again")
    what = ", ".join(f"{name} {value}" for name, value in about.items())
    cells = [[_cell(name, row[name]) for name in COLUMNS] for row in rows]
    return f"{what}. Values and chance levels in %.\n\n{_table(COLUMNS, cells)}"


def _is_row(row: Any) -> bool:
    """Whether an entry has all columns, with numbers where they belong."""
    if not isinstance(row, dict) or not set(COLUMNS) <= row.keys():
        return False
    return all(row[name] is None or isinstance(row[name], (int, float)) for name in PERCENT)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    return f"{100 * value:.1f}" if name in PERCENT else str(value)


def _table(head: Sequence[str], rows: Any) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
