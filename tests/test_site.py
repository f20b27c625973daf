"""The documentation site: its pages, their links, and the errors of the FAQ as they are printed.

That it builds without a warning: .ci/run.
"""

import re
import shlex
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import yaml
from PIL import Image

from ovarnet.cli import main as cli
from ovarnet.io.files import write_json

pytest.importorskip("mkdocs")
ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def pages():
    spec = spec_from_file_location("site_pages", DOCS / "site/pages.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def leaves(nav):
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [leaf for part in parts for leaf in leaves(part)]


def test_every_page_is_in_the_navigation_once(pages):
    settings = yaml.safe_load((DOCS / "site/mkdocs.yml").read_text(encoding="utf-8"))
    written = [path.name for path in DOCS.glob("*.md")]
    assert sorted(leaves(settings["nav"])) == sorted([*written, *pages.PAGES, pages.COMMANDS])


@pytest.mark.parametrize(
    ("source", "link", "expected"),
    [
        ("docs/a.md", "[b](detect.md#python)", "[b](detect.md#python)"),
        ("docs/a.md", "[b](../datasets/README.md)", "[b](datasets.md)"),
        ("docs/a.md", "![b](photos.jpg)", "![b](photos.jpg)"),
        ("docs/a.md", "[b](https://example.org/c.md)", "[b](https://example.org/c.md)"),
        ("docs/a.md", "[b](#c)", "[b](#c)"),
        ("docs/a.md", "[code](../ovarnet/errors.py), [folder](results)", "code, folder"),
        ("datasets/README.md", "[b](../docs/own_data.md)", "[b](own_data.md)"),
        ("CHANGELOG.md", "[b](docs/hub.md), [c](LICENSE)", "[b](hub.md), c"),
        ("CONTRIBUTING.md", "[b](README.md)", "[b](index.md)"),
    ],
)  # fmt: skip
def test_links_lead_to_pages_of_the_site(pages, source, link, expected):
    assert pages.site_links(link, source) == expected


def test_page_of_commands_has_the_help_of_each(pages):
    page = pages.commands_page()
    assert page.count("\n## ovarnet ") == len(cli.build_parsers()[1])
    assert "\n## ovarnet catalogue search\n\n```text\nusage: ovarnet catalogue search" in page
    assert max(map(len, page.splitlines())) <= 110


@pytest.mark.slow
def test_python_of_the_start_page_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    page = (DOCS / "index.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(snippet, "docs/index.md", "exec"), {})
    assert "cat" in capsys.readouterr().out


def errors_of_the_faq():
    page = (DOCS / "faq.md").read_text(encoding="utf-8")
    return re.findall(r"^    ovarnet (.+)\n    (error: .+)$", page, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize(("command", "message"), errors_of_the_faq())
def test_errors_of_the_faq_are_those_printed(command, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (40, 30)).save("photo.jpg")
    write_json("boxes.json", {"photo.jpg": [[0.1, 0.1, 0.5, 0.5]]})
    assert cli.main(shlex.split(command)) == 2
    assert capsys.readouterr().err == message + "\n"


def test_the_faq_shows_errors():
    assert len(errors_of_the_faq()) == 4


def test_phrases_of_messages_that_the_faq_quotes_are_in_the_code():
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "ovarnet").rglob("*.py"))
    code = re.sub(r'"\s*\n\s*f?"', "", sources)
    for phrase in (
        "no detector weights at",
        "are not in the local cache and cannot be fetched",
        "holds a finished run",
        "holds an unfinished run",
        "its words were encoded by another model",
        "numbers on novel words will not be open-vocabulary numbers",
    ):
        assert phrase in code, phrase
