"""README.md, CONTRIBUTING.md, datasets/README.md and docs/: every command that they show is
understood, and the Python of docs/detect.md and docs/evaluation.md runs and is right.

What the commands of docs/full_size.md hand on to each other: tests/test_full_size_doc.py.
"""

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from ovarnet.cli import main as cli
from ovarnet.cli.commands.train import config_and_overrides
from ovarnet.config import load_config
from ovarnet.errors import InputError
from ovarnet.io.files import read_json, write_json

ROOT = Path(__file__).parents[1]
FILES = [
    "README.md",
    "CONTRIBUTING.md",
    "datasets/README.md",
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
]
PAGES = {
    name: re.sub(r"<!--.*?-->", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    for name in FILES
}
START = (
    r"(?:torchrun --nproc_per_node \d+ -m |docker run [^`\n]*? (?=ovarnet))?"
    r"ovarnet(?::cuda)?(?= [a-z-])"
)


def shown(page):
    """Command lines to be copied, which are indented, alone or after others and `&&` or `|`; a
    remark may follow, after spaces, or `>` and a file."""
    lines = [
        re.split(r"\s{3,}", line.strip())[0]
        for line in page.replace("\\\n", " ").splitlines()
        if line.startswith("    ")
    ]
    return [
        part.strip()
        for line in lines
        for part in re.split(r"&&| \| | > ", line)
        if re.match(START, part.strip())
    ]


def mentioned(page):
    """Command lines in running text and in tables, between backticks, maybe over a line's end; some
    are the name of a command alone."""
    text = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    spans = re.findall(r"`([^`]+)`", re.sub(r"^    .*", "", text, flags=re.MULTILINE))
    return [" ".join(span.split()) for span in spans if re.match(START, span)]


def every(find):
    return [
        pytest.param(command, id=f"{name}: {command}")
        for name, page in PAGES.items()
        for command in dict.fromkeys(find(page))
    ]


def parse(command):
    words = shlex.split(re.sub(START, "", command))
    return None if "--help" in words else cli.parse(words)


@pytest.mark.parametrize("command", every(shown))
def test_commands_are_understood_and_their_configs_resolve(command, monkeypatch):
    monkeypatch.chdir(ROOT)
    args = parse(command)
    if args.command in ("train", "distill"):
        if getattr(args, "teacher", None):
            args.overrides = [*args.overrides, f"teacher={args.teacher}"]
        load_config(*config_and_overrides(args))


def complaint(command):
    """What the parser says; "" where the command is understood."""
    try:
        parse(command)
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("command", every(mentioned))
def test_commands_in_running_text_are_understood(command):
    """NAME stands for any; what is short for more, such as `ovarnet propose`, lacks arguments."""
    found = complaint(command.replace("--part NAME", "--part find"))
    is_short = "--" not in command and found.startswith("the following arguments are required")
    assert found == "" or is_short


@pytest.mark.parametrize("name", FILES)
def test_no_command_of_a_page_is_overlooked(name):
    """Those in the Python of the README and in prose without backticks would be; there are none."""
    commands = rf"\bovarnet (?:{'|'.join(cli.COMMANDS)})\b"
    found = sum(
        len(re.findall(commands, command))
        for command in shown(PAGES[name]) + mentioned(PAGES[name])
    )
    assert found == len(re.findall(commands, PAGES[name])) > 0


@pytest.mark.parametrize(
    "command",
    sorted(
        {
            command
            for page in PAGES.values()
            # detectron2's options: tests/integrations/detectron2/test_detectron2_doc.py
            for command in re.findall(r"python (tools/(?!detectron2_)[^`\n]+)", page)
        }
    ),
)
def test_tools_that_are_named_exist_with_their_options(command):
    file, *words = shlex.split(re.split(r"\s{3,}", command)[0])
    source = (ROOT / file).read_text(encoding="utf-8")
    assert all(f'"{word}"' in source for word in words if word.startswith("--"))


def test_files_that_are_named_exist():
    for name in (
        name for page in PAGES.values() for name in re.findall(r"configs/[\w/]+\.yaml", page)
    ):
        assert (ROOT / name).is_file(), name
    for file, page in PAGES.items():
        for name in re.findall(r"\]\((?!http)([^)#]+)\)", page):
            assert ((ROOT / file).parent / name).exists(), f"{file}: {name}"


@pytest.mark.slow
def test_python_of_the_detect_page_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    names = {}
    for snippet in re.findall(r"```python\n(.*?)```", PAGES["docs/detect.md"], re.DOTALL):
        exec(compile(snippet, "docs/detect.md", "exec"), names)
    assert names["found"].categories == ["mug", "chair"]
    assert re.fullmatch(r"torch.Size\(\[\d+, 1\]\)\n", capsys.readouterr().out)


def test_every_page_of_docs_is_linked_from_the_readme():
    for name in FILES[1:]:
        assert f"({name})" in PAGES["README.md"], name


def test_every_page_of_docs_is_in_the_navigation_of_the_site():
    site = (ROOT / "docs/site/mkdocs.yml").read_text(encoding="utf-8")
    for path in (ROOT / "docs").glob("*.md"):
        assert re.search(rf"[:-] {path.name}$", site, re.MULTILINE), path.name


def test_constant_predictions_of_the_evaluation_page_score_the_chance_level(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "datasets/mine"
    (root / "images").mkdir(parents=True)
    colors = ["red", "blue", "blue", "blue"]
    for number, _ in enumerate(colors):
        Image.new("RGB", (9, 9), (number, 0, 0)).save(root / "images" / f"{number}.png")
    write_json(
        root / "test.json",
        {
            "images": [{"id": n, "file_name": f"{n}.png"} for n in range(4)],
            "unlisted_attributes": "negative",
            "annotations": [
                {"id": n, "image_id": n, "bbox": [0, 0, 9, 9], "attributes": [color]}
                for n, color in enumerate(colors)
            ],
        },
    )
    assert cli.main(["prepare", "custom", "--root", "datasets/mine"]) == 0
    page = PAGES["docs/evaluation.md"]
    (snippet,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(snippet, "docs/evaluation.md", "exec"), {})
    (command,) = re.findall(
        r"^    (ovarnet evaluate --predictions theirs.json --dataset custom[^\n]*)",
        page,
        re.MULTILINE,
    )
    assert cli.main([*shlex.split(command)[1:], "--output", "out"]) == 0
    rows = read_json("out/metrics.json")["rows"]
    assert [
        (row["value"], row["chance"])
        for row in rows
        if (row["measure"], row["group"]) == ("attribute mAP", "all")
    ] == [(0.5, 0.5)]
