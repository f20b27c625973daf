"""The command line itself: help at once, versions, and one error line for anything mistyped."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import ovarnet
from ovarnet.cli import main as cli
from ovarnet.shipped import DEFAULT_MODEL, DEFAULT_PROPOSER

ROOT = Path(__file__).parents[2]


def run(*arguments):
    wide = {**os.environ, "COLUMNS": "1000"}  # nothing is wrapped
    return subprocess.run(
        [sys.executable, "-m", "ovarnet", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=wide,
    )


def test_help_names_every_command_and_an_example():
    done = run("--help")
    assert done.returncode == 0
    assert done.stderr == ""
    shown = " ".join(done.stdout.split())
    for name, module in cli.COMMANDS.items():
        assert len(module.HELP) > 20
        assert f" {name} {module.HELP} " in shown
    assert "example: ovarnet detect photo.jpg" in done.stdout


def test_no_arguments_show_the_help(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([])
    assert stop.value.code == 0
    assert "ovarnet [-h] [--version] COMMAND" in capsys.readouterr().out


def help_of(name, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit) as stop:
        cli.main([*name.split(), "--help"])
    assert stop.value.code == 0
    return capsys.readouterr().out


def test_a_command_alone_has_the_parser_that_it_has_among_all():
    for name, parser in cli.build_parsers()[1].items():
        if not hasattr(cli.COMMANDS[name.split()[0]], "COMMANDS") or " " in name:
            assert cli.build_parser(name).format_help() == parser.format_help()


@pytest.mark.parametrize("name", cli.build_parsers()[1])
def test_help_of_each_command_explains_every_option_once(name, monkeypatch, capsys):
    shown = help_of(name, monkeypatch, capsys)
    assert shown.startswith(f"usage: ovarnet {name}")
    assert all(line.count("(default: ") <= 1 for line in shown.splitlines())
    assert "(default: None)" not in shown


@pytest.mark.parametrize(
    ("name", "option", "default"),
    [
        ("detect", "--model", DEFAULT_MODEL),
        ("detect", "--output", "out"),
        ("detect", "--top-attributes", "3"),
        ("detect", "--device", "auto"),
        ("detect", "--proposer", "the model's own"),
        ("find", "--top", "5"),
        ("evaluate", "--root", "datasets/scenes"),
        ("evaluate", "--split", "test"),
        ("learnability", "--scenes", "5000"),
        ("benchmark", "--size", "[800, 1088]"),
        ("propose", "--limit", "100"),
        ("propose", "--proposer", DEFAULT_PROPOSER),
        ("pseudo-label", "--most", "50"),
        ("reproduce", "--configs", "configs/ and the world"),
        ("prepare", "--sample", "100"),
        ("parse-captions", "--processes", "1"),
    ],
)
def test_help_shows_defaults(name, option, default, monkeypatch, capsys):
    line = next(
        line
        for line in help_of(name, monkeypatch, capsys).splitlines()
        if line.strip().split(" ")[0] == option
    )
    assert line.endswith(f"(default: {default})")


def test_help_does_not_wait_for_torch():
    code = (
        "import sys; from ovarnet.cli import main as cli; cli.build_parsers(); "
        "print(sorted({'torch', 'numpy', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


def test_version_is_that_of_the_package_and_of_setup():
    assert run("--version").stdout == f"ovarnet {ovarnet.__version__}\n"
    setup = [sys.executable, "setup.py", "--version"]
    done = subprocess.run(setup, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == ovarnet.__version__


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["detct"], "unknown command 'detct'; did you mean detect?"),
        (["catalogue", "serch"], "unknown command 'serch'; did you mean search?"),
        (["catalogue", "x"], "unknown command 'x'; the commands of catalogue are index, search"),
        (["catalogue", "--verbose"], "unknown argument '--verbose'"),
        (["frobnicate"], "unknown command 'frobnicate'; the commands are detect"),
        (["--verbose"], "unknown argument '--verbose'"),
        (
            ["distill", "configs/scenes/clip.yaml"],
            "configs/scenes/clip.yaml is of stage 'clip', this command needs stage ovarnet; "
            "use: ovarnet train configs/scenes/clip.yaml",
        ),
        (
            ["distill", "configs/scenes/clip.yaml", "--teacher", "x"],
            "configs/scenes/clip.yaml is of stage 'clip', this command needs",
        ),
        (["detect"], "the following arguments are required: IMAGE"),
        (
            ["detect", "x.jpg", "--categoris", "mug"],
            "unknown argument '--categoris', did you mean --categories?",
        ),
        (["detect", "x.jpg", "--categories"], "argument --categories: expected one argument"),
        (
            ["detect", "x.jpg", "--threshold", "1.5"],
            "argument --threshold: 1.5 is not between 0 and 1",
        ),
        (
            ["detect", "x.jpg", "--threshold", "nan"],
            "argument --threshold: nan is not between 0 and 1",
        ),
        (
            ["detect", "x.jpg", "--threshold", "high"],
            "argument --threshold: invalid fraction value: 'high'",
        ),
        (["detect", "x.jpg", "--batch-size", "0"], "argument --batch-size: 0 is too small"),
        (["detect", "x.jpg", "--limit", "0"], "argument --limit/--max-boxes: 0 is too small"),
        (
            ["detect", "x.jpg", "--nms-iou", "0"],
            "argument --nms-iou: 0 is not above 0 and at most 1",
        ),
        (
            ["find", "x.jpg", "a mug", "--containment", "1.1"],
            "argument --containment: 1.1 is not above 0 and at most 1",
        ),
        (["propose", "--output", "out", "--shard", "0"], "argument --shard: 0 is too small"),
        (["propose", "--output", "out", "--limit", "-1"], "argument --limit: -1 is negative"),
        (["pseudo-label", "--shard", "-1"], "argument --shard: -1 is negative"),
        (["pseudo-label", "--most", "0"], "argument --most: 0 is too small"),
        (["reproduce", "scenes", "--seeds", "0"], "argument --seeds: 0 is too small"),
    ],
)
def test_mistyped_commands_give_one_line_and_exit_code_2(arguments, message, capsys):
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"error: {message}")
    assert captured.err.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has this device")
def test_a_full_disk_under_what_is_printed_gives_no_traceback():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ovarnet", "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
    assert done.stderr == ""


def test_options_may_stand_between_file_names():
    args = cli.parse(["detect", "a.jpg", "--output", "here", "b.jpg"])
    assert [str(path) for path in args.images] == ["a.jpg", "b.jpg"]
    assert str(args.output) == "here"


@pytest.mark.parametrize(
    "words",
    [
        ["generate", "scenes", "--root", "x"],
        ["learnability"],
        ["reproduce", "scenes"],
    ],
)
def test_without_the_generated_world_its_commands_are_one_line(words, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.startswith("ovarnet.scenes")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ovarnet.scenes", None)
    assert cli.main(words) == 2
    assert capsys.readouterr().err == (
        f"error: {words[0]} needs the package ovarnet.scenes, which is not part of this "
        "installation; install the full package\n"
    )


def test_interrupted_is_130_without_a_traceback(monkeypatch, capsys):
    def interrupt(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.COMMANDS["detect"], "run", interrupt)
    assert cli.main(["detect", "a.jpg"]) == 130
    assert capsys.readouterr().err == "interrupted\n"
