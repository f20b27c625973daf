"""The README is true: its Python snippet runs, and what it names exists. Its commands:
tests/test_docs.py."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = re.sub(
    r"<!--.*?-->", "", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL
)


def test_python_snippet_runs_with_the_shipped_weights(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (snippet,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(snippet, "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) >= 2  # at least one object, and the shape
    assert re.fullmatch(r"torch.Size\(\[\d+, 1\]\)", printed[-1])


def test_links_and_files_exist():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    configs = re.findall(r"configs/[\w/]+\.yaml", README)
    assert links
    assert configs
    for name in links + configs:
        assert (ROOT / name).exists(), name
