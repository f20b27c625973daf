"""`ovarnet reproduce`: which options belong together, and what each part is handed."""

from pathlib import Path

import pytest

from ovarnet.cli.commands import reproduce
from ovarnet.cli.main import COMMANDS, main
from ovarnet.scenes.chain.sizes import FULL, QUICK
from ovarnet.scenes.chain.steps import Places, all_steps

CONFIGS = Path(__file__).parents[3] / "configs" / "scenes"


def test_every_step_of_the_chain_has_its_command(tmp_path):
    steps = all_steps(Places(CONFIGS, tmp_path), QUICK)
    assert {step.command[0] for step in steps} == set(reproduce.CHAIN_COMMANDS)
    assert all(COMMANDS[name] is module for name, module in reproduce.CHAIN_COMMANDS.items())


@pytest.mark.parametrize(
    ("words", "sizes", "output"),
    [
        ([], FULL, "runs/reproduce/scenes"),
        (["--quick"], QUICK, "runs/reproduce/scenes_quick"),
        (["--output", "here"], FULL, "here"),
    ],
)
def test_the_chain_and_its_report(words, sizes, output, monkeypatch, capsys):
    ran = []

    def write_report(places, *, quick):
        ran.append((places, quick))
        return Path("report.html"), "a table"

    monkeypatch.setattr("ovarnet.scenes.chain.run.run_chain", lambda *given: ran.append(given))
    monkeypatch.setattr("ovarnet.scenes.report.write.write_report", write_report)
    assert main(["reproduce", "scenes", *words]) == 0
    places = Places(Path("configs/scenes"), Path(output))
    assert ran == [(places, sizes, reproduce.run_step), (places, "--quick" in words)]
    assert capsys.readouterr().out == "\na table\nreport: report.html\n"


def test_a_step_is_run_with_its_words(monkeypatch):
    seen = []
    monkeypatch.setattr(COMMANDS["generate"], "run", lambda args: seen.append(args))
    reproduce.run_step(["generate", "scenes", "--root", "here", "--photos", "7"])
    assert (seen[0].root, seen[0].photos, seen[0].test) == ("here", 7, 1000)


@pytest.mark.parametrize(
    ("words", "output", "quick"),
    [([], "runs/reproduce/photos", False), (["--quick"], "runs/reproduce/photos_quick", True)],
)
def test_the_chain_on_photos(words, output, quick, monkeypatch):
    ran = []
    monkeypatch.setattr(
        "ovarnet.photos.chain.run_photos", lambda *given, quick: ran.append((*given, quick))
    )
    assert main(["reproduce", "photos", "--root", "data", *words]) == 0
    assert ran == [(Path("data"), Path("configs/photos"), Path(output), reproduce.run_step, quick)]


@pytest.mark.parametrize(
    ("words", "seeds", "quick"),
    [([], 3, False), (["--quick"], 1, True), (["--seeds", "2"], 2, False)],
)
def test_the_protocol_on_photos(words, seeds, quick, monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(
        "ovarnet.photos.protocol.run_protocol",
        lambda *given, quick: ran.append((*given[3:], quick)) or "a table",
    )
    assert main(["reproduce", "photos", "--root", "data", "--part", "protocol", *words]) == 0
    assert ran == [(seeds, [""], reproduce.run_step, quick)]
    assert capsys.readouterr().out == "a table\n"


@pytest.mark.parametrize("words", [[], ["--root", "d", "--part", "find"]])
def test_photos_take_their_folder_and_nothing_else(words, capsys):
    assert main(["reproduce", "photos", *words]) == 2
    assert "error: reproduce photos takes --root, the folder of" in capsys.readouterr().err


def test_the_tables_of_a_catalogue(monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(
        "ovarnet.catalogue.tables.all.write_tables", lambda *given: ran.append(given) or "a table"
    )
    assert main(["reproduce", "catalogue", "--root", "shop", "--seeds", "2"]) == 0
    assert main(["reproduce", "catalogue", "--part", "matcher", "--quick", "--rows", "masks"]) == 0
    configs, output = Path("configs/catalogue"), Path("runs/reproduce/catalogue")
    (parts, root, *places, sizes, run), (one, nothing, *_, quick, _) = ran
    assert (parts, root, places) == (reproduce.CATALOGUE_PARTS, Path("shop"), [configs, output])
    assert (sizes.seeds, sizes.rows, run) == (2, ("",), reproduce.run_catalogue_step)
    assert (one, nothing) == (("matcher",), None)
    assert (quick.seeds, quick.rows, quick.products) == (1, ["masks"], 400)
    assert capsys.readouterr().out == "a table\na table\n"


def test_a_command_of_the_catalogue_is_run_with_its_words(monkeypatch):
    seen = []
    monkeypatch.setattr(COMMANDS["prepare"], "run", lambda args: seen.append(args))
    reproduce.run_catalogue_step(["prepare", "catalogue", "--root", "shop"])
    assert (seen[0].dataset, seen[0].root) == ("catalogue", Path("shop"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "part clip, photo-matcher: give --root SHOP"),
        (["--part", "clip"], "part clip: give --root SHOP"),
        (
            ["--part", "find"],
            "--part find is not of catalogue, which has: clip, photo-matcher, matcher",
        ),
    ],
)
def test_bad_words_for_the_catalogue(words, message, capsys):
    assert main(["reproduce", "catalogue", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_part_gets_its_defaults_and_an_output_folder(monkeypatch):
    seen = []
    monkeypatch.setitem(reproduce.PARTS, "clip-attr", lambda args: seen.append(args) or 0)
    assert main(["reproduce", "scenes", "--part", "clip-attr", "--seeds", "2"]) == 0
    (args,) = seen
    assert args.seeds == 2
    assert args.rows == [""]
    assert args.root == "datasets/scenes"
    assert args.output == Path("runs/reproduce/clip_attr")


@pytest.mark.parametrize("option", ["--root", "--clip", "--rows", "--model", "--teacher-one"])
def test_options_of_parts_are_refused_for_the_chain(option, capsys):
    assert main(["reproduce", "scenes", option, "x"]) == 2
    assert f"error: {option} belongs to --part" in capsys.readouterr().err
