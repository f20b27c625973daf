"""The parts of the report as HTML: one self-contained file without scripts."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from ovarnet.scenes.report.pictures import colour
from ovarnet.scenes.report.side_by_side import Column, PredictedWord, ShownObject

STYLE = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


def page(title: str, parts: Sequence[str]) -> str:
    """A whole page. parts: HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def picture(content: bytes, description: str) -> str:
    """An <img> with the picture inside. content: SVG, PNG or JPEG."""
    kind = (
        "svg+xml"
        if content.lstrip()[:5] in (b"<?xml", b"<svg ")
        else "png"
        if content[:4] == b"\x89PNG"
        else "jpeg"
    )
    return (
        f'<img alt="{escape(description)}" '
        f'src="data:image/{kind};base64,{base64.b64encode(content).decode()}">'
    )


def figure(content: bytes, caption: str) -> str:
    """A picture with a caption below. content: SVG, PNG or JPEG."""
    return f"<figure>{picture(content, caption)}<figcaption>{escape(caption)}</figcaption></figure>"


def cards(numbers: Sequence[tuple[str, str]]) -> str:
    """(number, label) pairs, large."""
    inner = "".join(
        f'<div class="card"><span class="number">{escape(number)}</span><span '
        f'class="label">{escape(label)}</span></div>'
        for number, label in numbers
    )
    return f'<div class="cards">{inner}</div>'


def stages(columns: Mapping[str, tuple[bytes, Column]]) -> str:
    """One image with the detections of each stage; the first column is the truth.

    Args:
        columns: Title -> (picture, its detections).
    """
    cells = []
    for index, (title, (content, column)) in enumerate(columns.items()):
        lines = {
            found.number: _object(found, is_truth=index == 0)
            for found in column.found
            if found.number
        }
        lines |= {
            number: f'<div class="object">{_tag(number)}<span class="wrong">not found</span></div>'
            for number in column.missed
        }
        extras = [_object(found, is_truth=False) for found in column.found if not found.number]
        objects = "".join([lines[number] for number in sorted(lines)] + extras)
        more = (
            f'<div class="object soft">and {column.left_out} more</div>' if column.left_out else ""
        )
        cells.append(f"<div><h4>{escape(title)}</h4>{picture(content, title)}{objects}{more}</div>")
    return f'<div class="stages">{"".join(cells)}</div>'


def crops(items: Sequence[tuple[bytes, str, str]]) -> str:
    """Mistakes as (picture, prediction, truth)."""
    inner = "".join(
        f'<div class="crop">{picture(content, predicted)}'
        f'<span class="wrong">{escape(predicted)}</span><br>'
        f'<span class="right">{escape(true)}</span></div>'
        for content, predicted, true in items
    )
    return f'<div class="crops">{inner}</div>' if items else "<p>None.</p>"


def plain_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], amounts: Sequence[int] = ()
) -> str:
    """A table of texts; columns of `amounts` are set to the right."""
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{' class=amount' if column in amounts else ''}>{escape(text)}</td>"
            for column, text in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return (
        '<div class="table '
        f'run"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def details(summary: str, content: str) -> str:
    """A section that is folded at first. content: HTML."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def _object(found: ShownObject, *, is_truth: bool) -> str:
    score = "" if is_truth else f" {found.score:.2f}"
    words = ", ".join(
        _word(said, is_truth, "" if is_truth else f" {said.score:.2f}") for said in found.attributes
    )
    words = f"<br>{words}" if words else ""
    category = f"<b>{_word(found.category, is_truth, score)}</b>"
    return f'<div class="object">{_tag(found.number)}{category}{words}</div>'


def _tag(number: int) -> str:
    return f'<span class="tag" style="background:{colour(number)}">{number or "+"}</span>'


def _word(said: PredictedWord, is_truth: bool, score: str) -> str:
    """The word in the colour of the verdict on it, underlined where novel."""
    classes = ("truth" if is_truth else said.truth) + (" isnovel" if said.is_novel else "")
    return f'<span class="{classes}">{escape(said.word)}{score}</span>'
