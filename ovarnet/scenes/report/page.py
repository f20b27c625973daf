"""The parts of the report as HTML: one self-contained file, no scripts, nothing loaded from
elsewhere.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape

from ovarnet.scenes.report.pictures import colour
from ovarnet.scenes.report.side_by_side import Column, Found, Said

STYLE = """
:root { --ink: #1f2933; --soft: #66707c; --line: #dfe3e8; --novel: #fdf1f2; --right: #17803d; --wrong: #c62828; }
* { box-sizing: border-box; }
body { font: 15px/1.5 "DejaVu Sans", Verdana, system-ui, sans-serif; color: var(--ink); max-width: 1240px; margin: 0 auto; padding: 24px; }
h1 { font-size: 30px; margin: 8px 0 4px; } h2 { font-size: 21px; margin: 44px 0 8px; border-bottom: 2px solid var(--line); }
h3 { font-size: 16px; margin: 24px 0 6px; } p { max-width: 900px; margin: 6px 0 12px; } .soft { color: var(--soft); font-size: 13px; }
.warning { background: #fff4d6; border-left: 5px solid #e0a100; padding: 10px 14px; }
.cards { display: grid; grid-template-columns: repeat(4, 1fr); gap: 14px; margin: 18px 0; }
.card { border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
.card .number { font-size: 28px; font-weight: bold; display: block; } .card .label { color: var(--soft); font-size: 13px; }
.table { overflow-x: auto; margin: 16px 0 22px; } table { border-collapse: collapse; font-size: 14px; }
caption { text-align: left; padding-bottom: 6px; font-size: 14px; }
td, thead th { padding: 4px 11px; text-align: right; font-variant-numeric: tabular-nums; }
thead th { font-weight: normal; color: var(--soft); }
thead tr:first-child th { text-align: center; color: var(--ink); font-weight: bold; }
tbody th { text-align: left; font-weight: normal; padding: 4px 14px 4px 0; white-space: nowrap; }
tbody tr { border-top: 1px solid var(--line); } tr.plain { color: var(--soft); } .start { border-left: 1px solid var(--line); }
td.novel { background: var(--novel); }
figure { margin: 14px 0 22px; } figure img { width: 100%; } figcaption { color: var(--soft); font-size: 13px; max-width: 900px; }
.stages { display: grid; grid-template-columns: repeat(5, 1fr); gap: 12px; margin: 12px 0 34px; page-break-inside: avoid; }
.stages h4 { margin: 0 0 4px; font-size: 14px; } .stages img { width: 100%; border-radius: 4px; display: block; }
.object { font-size: 12.5px; line-height: 1.35; margin: 6px 0 0; padding-left: 24px; position: relative; } .object b { font-size: 13px; }
.tag { position: absolute; left: 0; top: 1px; color: white; border-radius: 3px; font-size: 11px; font-weight: bold; width: 17px;
  text-align: center; }
.right { color: var(--right); } .wrong { color: var(--wrong); } .open { color: var(--soft); } .truth { color: var(--ink); }
.isnovel { text-decoration: underline; text-decoration-thickness: 1px; text-underline-offset: 2px; }
.crops { display: grid; grid-template-columns: repeat(8, 1fr); gap: 12px; margin: 8px 0 20px; }
.crop { font-size: 12.5px; line-height: 1.35; } .crop img { width: 100%; border-radius: 4px; display: block; margin-bottom: 3px; }
.run td, .run thead th { text-align: left; } .run td.amount { text-align: right; }
details { margin: 10px 0; } summary { cursor: pointer; color: #2f6db5; } code { font: 12px/1.5 "DejaVu Sans Mono", Menlo, monospace; }
pre { overflow-x: auto; background: #f5f7f9; padding: 10px; border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 800px) { .stages, .cards { grid-template-columns: repeat(2, 1fr); } .crops { grid-template-columns: repeat(4, 1fr); } }
"""


def page(title: str, parts: Sequence[str]) -> str:
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
    """One image as each stage sees it; the first column is the truth. columns: title -> (picture,
    what was found).
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
    """(picture, what was said, what is true) of mistakes."""
    inner = "".join(
        f'<div class="crop">{picture(content, said)}<span class="wrong">{escape(said)}</span><br>'
        f'<span class="right">{escape(true)}</span></div>'
        for content, said, true in items
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
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def _object(found: Found, *, is_truth: bool) -> str:
    score = "" if is_truth else f" {found.score:.2f}"
    words = ", ".join(
        _word(said, is_truth, "" if is_truth else f" {said.score:.2f}") for said in found.attributes
    )
    words = f"<br>{words}" if words else ""
    return f'<div class="object">{_tag(found.number)}<b>{_word(found.category, is_truth, score)}</b>{words}</div>'


def _tag(number: int) -> str:
    return f'<span class="tag" style="background:{colour(number)}">{number or "+"}</span>'


def _word(said: Said, is_truth: bool, score: str) -> str:
    """The word in the colour of its truth, underlined where novel."""
    classes = ("truth" if is_truth else said.truth) + (" isnovel" if said.is_novel else "")
    return f'<span class="{classes}">{escape(said.word)}{score}</span>'
