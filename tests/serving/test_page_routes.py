"""The page needs nothing from elsewhere, and nothing else of the disk is served."""

import re

import pytest

from ovarnet.serving.examples import SCENES
from ovarnet.serving.page_routes import STATIC


def test_the_page_and_every_file_it_names_are_served(client):
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("default-src 'self'; ")
    for name in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text):
        assert client.get(name).status_code == 200, name


def test_no_file_of_the_page_loads_anything_from_elsewhere():
    for path in STATIC.iterdir():
        found = re.findall(r"(?:https?:)?//[\w.-]+\.\w+", path.read_text("utf-8"))
        assert [name for name in found if "www.w3.org" not in name] == [], path.name


def test_every_import_of_a_script_is_a_file():
    for path in STATIC.glob("*.js"):
        for name in re.findall(r'from "\./([^"]+)"', path.read_text("utf-8")):
            assert (STATIC / name).is_file()


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2Fapp.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
        "/static/%2Fetc%2Fpasswd",
        "/static/",
        "/examples/README.md",
        "/examples/scene.jpg",
        "/examples/..%2F__init__.py",
    ],
)
def test_nothing_else_is_served(path, client):
    assert client.get(path).status_code == 404


def test_examples_are_those_of_the_model(make_client):
    client = make_client(examples=SCENES)
    assert client.get("/examples/scene.jpg").headers["content-type"] == "image/jpeg"
    assert client.get("/examples/cat.jpg").status_code == 404
