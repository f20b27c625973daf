"""`ovarnet serve`: what it refuses before it serves, and what it hands to the server."""

import sys
from pathlib import Path

import pytest
import uvicorn

import ovarnet
from ovarnet.cli import main as cli
from ovarnet.cli.commands import serve


def refused(arguments, capsys):
    assert cli.main(["serve", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    return shown.err


def test_a_port_that_is_taken_is_refused_before_the_model_is_loaded(capsys, monkeypatch):
    taken = serve.listen("127.0.0.1", 0)
    taken.listen()
    number = str(taken.getsockname()[1])
    monkeypatch.setattr("ovarnet.load", None)
    error = refused(["--port", number], capsys)
    taken.close()
    assert error.startswith(f"error: cannot listen on 127.0.0.1, port {number} (")
    assert error.endswith("choose another --port, or --host 127.0.0.1\n")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--port", "70000"], "70000 is not between 0 and 65535"),
        (["--queue", "0"], "0 is too small"),
        (["--model", "nothing", "--port", "0"], "nothing"),
        (["--host", "no.such.host.invalid"], "cannot listen on no.such.host.invalid"),
    ],
)
def test_bad_arguments(arguments, error, capsys):
    assert error in refused(arguments, capsys)


@pytest.mark.parametrize("package", ["uvicorn", "python_multipart"])
def test_a_missing_package_is_one_line(package, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    assert refused([], capsys) == (
        f"error: the web page needs {package}, which is not installed: "
        'pip install "ovarnet[serve]"\n'
    )


def test_the_options_reach_the_server(fake_model, capsys, monkeypatch):
    served = []

    def run(self, sockets):
        served.append((self.config, sockets[0].getsockname()))
        sockets[0].close()

    monkeypatch.setattr(uvicorn.Server, "run", run)
    options = ["--upload-mb", "3", "--megapixels", "2", "--queue", "5", "--timeout", "7"]
    assert cli.main(["serve", "--port", "0", "--model", "scenes", *options]) == 0
    (config, (host, number)) = served[0]
    assert host == "127.0.0.1"
    shown = capsys.readouterr()
    assert shown.out == f"open http://127.0.0.1:{number} in a browser; Ctrl+C stops\n"
    assert "have never seen a photo" in shown.err

    from fastapi.testclient import TestClient

    about = TestClient(config.app).get("/api/model").json()
    assert (about["upload_bytes"], about["pixels"]) == (3_000_000, 2_000_000)
    assert about["note"] == serve.NOTE_ON_SCENES
    assert [example["file"] for example in about["examples"]] == ["scene.jpg"]


def test_other_machines_are_warned_about(fake_model, capsys, monkeypatch):
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: sockets[0].close())
    assert cli.main(["serve", "--host", "0.0.0.0", "--port", "0"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("open http://127.0.0.1:")
    assert shown.err == "note: other machines can use this server; there is no log-in\n"


def test_a_catalogue_adds_its_products(fake_model, monkeypatch):
    served = []

    def run(self, sockets):
        served.append(self.config.app)
        sockets[0].close()

    monkeypatch.setattr(uvicorn.Server, "run", run)
    example = str(Path(ovarnet.__file__).parent / "examples/catalogue")
    words = ["--port", "0", "--model", "scenes", "--device", "cpu", "--catalogue", example]
    assert cli.main(["serve", *words]) == 0

    from fastapi.testclient import TestClient

    about = TestClient(served[0]).get("/api/products").json()
    assert (about["products"], about["model"]) == (60, "scenes-clip-attr")
    assert {"color", "category"} <= set(about["labels"])


def test_a_catalogue_that_is_none_is_refused(capsys, tmp_path):
    error = refused(["--port", "0", "--catalogue", str(tmp_path)], capsys)
    assert "no index; make one: ovarnet catalogue index" in error
