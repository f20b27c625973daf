"""`ovarnet parse-captions`: from caption files to JSON lines, in one go, in parts and in several
processes."""

import argparse
import json

import pytest

from ovarnet.cli.commands import parse_captions
from ovarnet.errors import InputError
from ovarnet.io.word_files import write_vocabulary
from ovarnet.vocabulary import Vocabulary


@pytest.fixture
def words(tmp_path):
    path = tmp_path / "words.json"
    write_vocabulary(path, Vocabulary.of(["dog", "cat"], ["red", "wet"]))
    return path


def run(*arguments) -> int:
    parser = argparse.ArgumentParser()
    parse_captions.add_arguments(parser)
    return parse_captions.run(parser.parse_args([*map(str, arguments), "--pipeline", "rules"]))


def written(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def table(path, count, start=0):
    path.write_text(
        "".join(
            f"{n}.jpg#{k}\t{text}\n"
            for n in range(start, start + count)
            for k, text in enumerate((f"a red dog {n}", "it is a wet cat"))
        ),
        encoding="utf-8",
    )
    return path


def test_one_record_per_image(tmp_path, words, capsys):
    (tmp_path / "captions.tsv").write_text(
        "a.jpg\ta red dog\na.jpg\ta wet cat\nb.jpg\tthe sky\n", encoding="utf-8"
    )
    assert (
        run(tmp_path / "captions.tsv", "--vocabulary", words, "--output", tmp_path / "out.jsonl")
        == 0
    )
    assert written(tmp_path / "out.jsonl") == [
        {
            "image": "a.jpg",
            "text": "a red dog\na wet cat",
            "categories": ["dog", "cat"],
            "attributes": ["red", "wet"],
            "pairs": [
                {"attribute": "red", "noun": "dog", "category": "dog"},
                {"attribute": "wet", "noun": "cat", "category": "cat"},
            ],
            "phrases": ["red dog", "wet cat"],
        },
        {
            "image": "b.jpg",
            "text": "the sky",
            "categories": [],
            "attributes": [],
            "pairs": [],
            "phrases": ["sky"],
        },
    ]
    out = capsys.readouterr().out
    assert "3 captions of 2 images" in out
    assert "1 images without a known word" in out


def test_broken_lines_are_listed_and_the_rest_is_written(tmp_path, words, capsys):
    (tmp_path / "captions.tsv").write_text(
        "a.jpg\ta red dog\nbroken\nb.jpg\ta wet dog\nalso broken\n", encoding="utf-8"
    )
    assert (
        run(tmp_path / "captions.tsv", "--vocabulary", words, "--output", tmp_path / "out.jsonl")
        == 2
    )
    assert [record["image"] for record in written(tmp_path / "out.jsonl")] == ["a.jpg", "b.jpg"]
    error = capsys.readouterr().err
    assert "error: 2 line(s) could not be used" in error
    assert "captions.tsv:2, " in error
    assert "captions.tsv:4" in error


def test_image_names_with_half_a_character_are_written(tmp_path, words):
    (tmp_path / "captions.jsonl").write_text(
        '{"image": "caf\\udce9.jpg", "caption": "a red dog"}\n', encoding="utf-8"
    )
    assert (
        run(tmp_path / "captions.jsonl", "--vocabulary", words, "--output", tmp_path / "out.jsonl")
        == 0
    )
    assert [record["image"] for record in written(tmp_path / "out.jsonl")] == ["caf\udce9.jpg"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("captions.docx", "x", r"captions\.docx: captions are read from"),
        ("captions.json", "{", r"captions\.json: not valid JSON"),
    ],
)
def test_files_that_cannot_be_read_leave_no_output(name, content, message, tmp_path, words):
    (tmp_path / name).write_text(content)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=message):
        run(tmp_path / name, "--vocabulary", words, "--output", tmp_path / "out.jsonl")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.slow
def test_resume_gives_the_same_file(tmp_path, words):
    files = [table(tmp_path / "1.txt", 30), table(tmp_path / "2.txt", 20, start=30)]
    assert run(*files, "--vocabulary", words, "--output", tmp_path / "whole.jsonl") == 0
    whole = (tmp_path / "whole.jsonl").read_bytes()
    assert whole.count(b"\n") == 50
    for kept in (0, 1, len(whole) // 2, whole.rindex(b"\n", 0, -1) + 1, len(whole)):
        (tmp_path / "part.jsonl").write_bytes(whole[:kept])
        (tmp_path / "part.jsonl.run.json").write_bytes(
            (tmp_path / "whole.jsonl.run.json").read_bytes()
        )
        assert (
            run(*files, "--vocabulary", words, "--output", tmp_path / "part.jsonl", "--resume") == 0
        )
        assert (tmp_path / "part.jsonl").read_bytes() == whole


@pytest.mark.slow
def test_processes_change_nothing(tmp_path, words):
    file = table(tmp_path / "captions.txt", 1100)
    assert run(file, "--vocabulary", words, "--output", tmp_path / "one.jsonl") == 0
    assert (
        run(file, "--vocabulary", words, "--output", tmp_path / "two.jsonl", "--processes", 2) == 0
    )
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


@pytest.mark.slow
def test_an_output_is_never_mixed(tmp_path, words):
    file, output = table(tmp_path / "captions.txt", 3), tmp_path / "out.jsonl"
    run(file, "--vocabulary", words, "--output", output)
    with pytest.raises(
        InputError, match=r"out.jsonl: exists already; give --resume to continue it"
    ):
        run(file, "--vocabulary", words, "--output", output)
    write_vocabulary(words, Vocabulary.of(["dog"], ["red"]))
    with pytest.raises(InputError, match="made of other files or words, or by another pipeline"):
        run(file, "--vocabulary", words, "--output", output, "--resume")


@pytest.mark.slow
def test_resume_with_a_changed_input(tmp_path, words):
    file, output = table(tmp_path / "captions.txt", 3), tmp_path / "out.jsonl"
    run(file, "--vocabulary", words, "--output", output)
    table(file, 3, start=5)
    with pytest.raises(InputError, match=r"its line 3 is of 2.jpg, the input has 7.jpg there"):
        run(file, "--vocabulary", words, "--output", output, "--resume")


def test_missing_file_fails_before_any_work(tmp_path, words):
    with pytest.raises(InputError, match=r"nothing.tsv: no such file"):
        run(
            table(tmp_path / "captions.txt", 3),
            tmp_path / "nothing.tsv",
            "--vocabulary",
            words,
            "--output",
            tmp_path / "out.jsonl",
        )
    assert not (tmp_path / "out.jsonl").exists()
