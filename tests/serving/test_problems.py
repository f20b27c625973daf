"""Every failure is JSON with one line, also those that nobody foresaw."""

import pytest

from ovarnet.serving.picture_service import PictureService
from ovarnet.serving.problems import in_one_line


@pytest.mark.parametrize(
    ("faults", "line"),
    [
        ([{"loc": ("body", "limit"), "msg": "too big", "type": "x"}], "limit: too big"),
        ([{"loc": ("body",), "msg": "Value error, no boxes", "type": "x"}], "no boxes"),
        (
            [{"loc": ("body", "boxes", 0, 3), "msg": "Field required", "type": "missing"}] * 3,
            "boxes.0.3: Field required (and 2 more)",
        ),
        (
            [{"loc": ("body", "wrods"), "msg": "Extra inputs", "type": "extra_forbidden"}],
            "wrods: no such field; /docs lists those there are",
        ),
    ],
)
def test_validation_in_one_line(faults, line):
    assert in_one_line(faults) == line


def test_what_nobody_foresaw_is_not_shown_to_the_client(client, key, monkeypatch):
    def fail(*_):
        raise RuntimeError("secret of the server")

    monkeypatch.setattr(PictureService, "detect", fail)
    answer = client.post(f"/api/images/{key}/detect", json={})
    assert answer.status_code == 500
    assert answer.json() == {"error": "the server failed; its log says why"}


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/nowhere", 404, "Not Found"),
        ("GET", "/api/images", 405, "Method Not Allowed"),
        ("POST", "/api/images", 422, "image: Field required"),
    ],
)
def test_failures_of_the_framework_are_of_the_same_form(method, path, status, error, client):
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()) == (status, {"error": error})
