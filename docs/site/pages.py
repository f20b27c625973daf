"""Hooks of MkDocs: pages that are no files of docs/, and links as the site has them.

The pages of docs/ are written to be read in the repository, so that their links lead to files of
it. The site has the pages of docs/, the files of PAGES, and the help of every command.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from ovarnet.cli.main import build_parsers

ROOT = Path(__file__).parents[2]
PAGES = {
    "datasets.md": "datasets/README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
}
"""Page of the site -> file of the repository."""

COMMANDS = "commands.md"
HELP_WIDTH = "100"
LINK = re.compile(r"\[([^\]\n]*)\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/."""
    for name, source in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=text))
    files.append(File.generated(config, COMMANDS, content=commands_page()))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Turn links between files of the repository into links between pages of the site."""
    name = page.file.src_uri
    return site_links(markdown, PAGES.get(name, f"docs/{name}"))


def site_links(markdown: str, source: str) -> str:
    """Links of a file as the site has them; what is no page of it becomes plain text.

    Args:
        markdown: Text of the file.
        source: Path of the file in the repository.
    """
    pages = {file: page for page, file in PAGES.items()} | {"README.md": "index.md"}

    def link(found: re.Match[str]) -> str:
        text, target, anchor = found.groups(default="")
        if not target:
            return found.group()
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        inside = path.startswith("docs/") and (ROOT / path).is_file()
        page = path.removeprefix("docs/") if inside else pages.get(path)
        return f"[{text}]({page}{anchor})" if page else text

    return LINK.sub(link, markdown)


def commands_page() -> str:
    """What `--help` prints, of every command."""
    os.environ["COLUMNS"] = HELP_WIDTH  # argparse's only way to set a width
    _, parsers = build_parsers()
    parts = [
        f"## ovarnet {name}\n\n```text\n{parser.format_help().strip()}\n```"
        for name, parser in parsers.items()
    ]
    return "# Commands\n\nWhat `ovarnet COMMAND --help` prints.\n\n" + "\n\n".join(parts) + "\n"
