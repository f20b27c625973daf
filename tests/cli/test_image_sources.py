"""What a command line may name as images."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from ovarnet.cli import image_sources
from ovarnet.cli.image_sources import is_source, source_name
from ovarnet.errors import InputError
from ovarnet.io.images import SUFFIXES

URL = "https://x.org/a%20b.jpg?size=2"


def expand(given, suffixes=SUFFIXES):
    return image_sources.expand(given, suffixes)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """b.jpg, a.PNG, deep/c.jpg, notes.txt, x[1].jpg; and it is the current folder."""
    (tmp_path / "deep").mkdir()
    for name in ("b.jpg", "a.PNG", "deep/c.jpg", "notes.txt", "x[1].jpg"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def stdin(monkeypatch):
    def pipe(content: bytes):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))

    return pipe


@pytest.mark.usefixtures("folder")
def test_patterns_mean_the_images_among_the_files_sorted():
    assert expand(["*"]) == [Path("a.PNG"), Path("b.jpg"), Path("x[1].jpg")]
    assert expand(["**/*.jpg"]) == [Path("b.jpg"), Path("deep/c.jpg"), Path("x[1].jpg")]
    assert expand(["*.txt"]) == [Path("notes.txt")]  # asked for; reading it says what is wrong
    assert expand(["*"], suffixes=(".txt",)) == [Path("notes.txt")]


@pytest.mark.usefixtures("folder")
def test_a_path_that_exists_is_no_pattern():
    assert expand(["x[1].jpg"]) == [Path("x[1].jpg")]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("pattern", ["*.webp", "de?p", "nowhere/**/*.jpg"])
def test_a_pattern_without_a_file_is_an_error(pattern):
    with pytest.raises(InputError) as caught:
        expand([pattern])
    assert str(caught.value) == f"{pattern}: no file matches this pattern; check it"


def test_urls_stay_text_and_missing_files_stay_paths():
    assert expand([Path("missing.jpg"), URL, "deep"]) == [Path("missing.jpg"), URL, Path("deep")]


@pytest.mark.usefixtures("folder")
def test_a_list_on_standard_input(stdin):
    stdin(b"b.jpg\r\n\n*.PNG\n" + URL.encode() + b"\nn\xc3\xa4me with spaces.jpg")
    expected = [Path("b.jpg"), Path("a.PNG"), URL, Path("näme with spaces.jpg")]
    assert expand(["first.jpg", "-"]) == [Path("first.jpg"), *expected]
    stdin(b"two\nlines.jpg\0b.jpg\0")
    with pytest.raises(InputError, match="one path or URL a line"):
        expand(["-"])
    stdin(b"deep\0b.jpg\0")
    assert expand(["-"]) == [Path("deep"), Path("b.jpg")]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "-: standard input is empty; write one path or URL a line"),
        (b" \n\n", "-: standard input is empty; write one path or URL a line"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "-: standard input is no list of images;"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "-: standard input is no list of images;"),
        (b"x" * 9000, "-: standard input is no list of images;"),
    ],
)
def test_no_list_on_standard_input(stdin, content, told):
    stdin(content)
    with pytest.raises(InputError) as caught:
        expand(["-"])
    assert str(caught.value).startswith(told)


def test_standard_input_that_is_closed(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InputError, match="standard input is empty"):
        expand(["-"])


@pytest.mark.usefixtures("folder")
def test_what_is_a_source():
    texts = ("b.jpg", "deep", "*.jpg", URL, "-", "red mug", "a mug?", "x" * 5000)
    assert [is_source(text) for text in texts] == [True] * 5 + [False] * 3


def test_names_of_sources():
    assert source_name(Path("deep/c.jpg")) == "c.jpg"
    assert source_name(URL) == "a b.jpg"
