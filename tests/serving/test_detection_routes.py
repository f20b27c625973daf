"""The HTTP API: what it answers, what it refuses, and many clients at once."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
from running_server import running

from ovarnet.serving.detection_routes import parse
from ovarnet.serving.limits import Limits
from ovarnet.serving.picture_service import PictureService
from ovarnet.serving.schema import DetectQuery, FindQuery

PAGE = (Path(__file__).parents[2] / "docs/serve.md").read_text("utf-8")


def test_an_image_is_sent_once_and_scored_on_other_words(client, make_png):
    sent = client.post("/api/images", files={"image": ("photo.png", make_png())})
    assert sent.status_code == 200
    key = sent.json().pop("image")
    assert sent.json() == {
        "image": key,
        "file": "photo.png",
        "width": 60,
        "height": 40,
        "boxes_found": 2,
    }
    for words in (["mug", "car"], ["Häuser"]):
        answer = client.post(f"/api/images/{key}/detect", json={"categories": words})
        assert answer.status_code == 200
        assert answer.json()["categories"] == words
        assert answer.json()["attributes"] == ["red", "striped", "tiny"]
        assert answer.json()["boxes"] == [[0, 0, 60, 40]]


def test_one_request_gives_the_same(client, key, make_png):
    query = {"categories": ["mug"], "attributes": ["red"], "boxes": [[0, 0, 10, 10]]}
    image = {"image": ("photo.png", make_png())}
    two = client.post(f"/api/images/{key}/detect", json=query)
    one = client.post("/api/detect", files=image, data={"query": json.dumps(query)})
    assert one.json() == two.json()

    phrase = {"phrase": "a red mug"}
    two = client.post(f"/api/images/{key}/find", json=phrase)
    one = client.post("/api/find", files=image, data={"query": json.dumps(phrase)})
    assert one.json() == two.json()
    assert one.json()["categories"] == ["mug"]


@pytest.mark.parametrize("action", ["detect", "find"])
def test_formats(action, client, key):
    query = {"phrase": "a red mug"} if action == "find" else {"categories": ["mug"]}
    picture = client.post(f"/api/images/{key}/{action}", json={**query, "format": "picture"})
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content.startswith(b"\xff\xd8")
    coco = client.post(f"/api/images/{key}/{action}", json={**query, "format": "coco"})
    assert coco.json()[0]["bbox"] == [0, 0, 60, 40]


@pytest.mark.parametrize(
    ("query", "status", "error"),
    [
        ({"categores": ["a"]}, 422, "categores: no such field; /docs lists those there are"),
        ({"categories": ["a", "a"]}, 400, "categories: 'a' is given twice (words 1 and 2)"),
        ({"categories": [""]}, 400, "categories: word 1 is empty"),
        ({"categories": [], "attributes": []}, 400, "no words to look for"),
        ({"boxes": [[5, 5, 1, 9]]}, 400, "image: box 0 [5.0, 5.0, 1.0, 9.0] is inverted"),
        ({"boxes": [[1, 2, 3]]}, 422, "boxes.0.3: Field required"),
        ({"find_boxes": False}, 422, "find_boxes is false and there are no boxes"),
        ([], 422, "the body must be a JSON object"),
    ],
)
def test_queries_that_are_refused(query, status, error, client, key):
    answer = client.post(f"/api/images/{key}/detect", json=query)
    assert answer.status_code == status
    assert answer.json()["error"].startswith(error)
    assert "\n" not in answer.json()["error"]


@pytest.mark.parametrize("phrase", ["", "no cars"])
def test_phrases_that_are_refused(phrase, client, key):
    answer = client.post(f"/api/images/{key}/find", json={"phrase": phrase})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"the phrase '{phrase}'")


def test_an_unknown_image(client):
    answer = client.post("/api/images/..%2F..%2Fetc%2Fpasswd/detect", json={})
    assert answer.status_code == 404
    answer = client.post("/api/images/0123/detect", json={})
    assert answer.json() == {"error": "the server does not keep this image; send it again"}


@pytest.mark.parametrize(
    ("files", "data", "status", "error"),
    [
        ({"image": ("a.txt", b"text")}, {}, 400, "a.txt: not an image that can be read"),
        ({"image": ("a.jpg", b"")}, {}, 400, "a.jpg: the file is empty"),
        ({"image": ("a.jpg", b"\xff\xd8\xff\xe0")}, {}, 400, "a.jpg: "),
        ({"image": (None, "/etc/passwd")}, {}, 422, "image: must be a file"),
        ({"image": ("a.jpg", b"x")}, {"url": "http://x"}, 422, "url: no such field"),
        ({}, {}, 422, "image: Field required"),
    ],
)
def test_uploads_that_are_refused(files, data, status, error, client):
    answer = client.post("/api/images", files=files, data=data)
    assert answer.status_code == status
    assert answer.json()["error"].startswith(error)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("{", "Invalid JSON"),
        ('{"wrods": []}', "wrods: no such field"),
        ('{"categories": "mug"}', "categories: Input should be a valid array"),
    ],
)
def test_queries_of_a_form_that_are_refused(query, error, client, make_png):
    image = {"image": ("photo.png", make_png())}
    answer = client.post("/api/detect", files=image, data={"query": query})
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(error)


def test_too_many_pixels(make_client, make_png):
    client = make_client(limits=Limits(pixels=100))
    answer = client.post("/api/images", files={"image": ("photo.png", make_png())})
    assert answer.status_code == 413
    assert answer.json()["error"].startswith("photo.png: 2,400 pixels; the limit")


def post_image(server, content, name):
    answer = server.post(
        "/api/detect",
        files={"image": (name, content)},
        data={"query": '{"categories": ["mug"], "attributes": [], "threshold": 0}'},
    )
    return answer.status_code, answer.json()


@contextmanager
def clients_of(app, count):
    """`count` connections to the application on a real server, and as many threads to use them."""
    limits = httpx.Limits(max_connections=count)
    with (
        running(app) as address,
        httpx.Client(base_url=address, timeout=60, limits=limits) as server,
        ThreadPoolExecutor(count) as threads,
    ):
        yield server, threads


@pytest.mark.slow
def test_32_clients_at_once_get_the_answer_of_one(make_client, make_png):
    names = [f"{number}.png" for number in range(32)]
    images = [make_png(20 + number, 30) for number in range(32)]
    with clients_of(make_client().app, 32) as (server, threads):
        answers = list(threads.map(partial(post_image, server), images, names))
        alone = post_image(server, images[0], names[0])
    assert [status for status, _ in answers] == [200] * 32
    sizes = [(body["width"], body["height"]) for _, body in answers]
    assert sizes == [(20 + number, 30) for number in range(32)]
    assert [body["boxes"][0] for _, body in answers] == [[0, 0, *size] for size in sizes]
    assert answers[0] == alone


def test_a_full_queue_answers_503_and_serves_again(make_client, make_png, monkeypatch):
    """With one place beside the job that runs, 30 of 32 clients at once are refused."""
    refused, running_jobs = threading.Semaphore(0), []
    add = PictureService.add

    def add_when_the_others_are_refused(*arguments):
        if not running_jobs:
            running_jobs.append(arguments)
            assert all(refused.acquire(timeout=60) for _ in range(30))
        return add(*arguments)

    def post(number):
        status, body = post_image(server, make_png(), f"{number}.png")
        if status == 503:
            refused.release()
        return status, body

    monkeypatch.setattr(PictureService, "add", add_when_the_others_are_refused)
    with clients_of(make_client(limits=Limits(waiting=1)).app, 32) as (server, threads):
        answers = list(threads.map(post, range(32)))
        monkeypatch.setattr(PictureService, "add", add)
        later = post_image(server, make_png(), "later.png")
    assert sorted(status for status, _ in answers) == [200] * 2 + [503] * 30
    errors = {body["error"] for status, body in answers if status == 503}
    assert errors == {"the server is busy; try again in 2 seconds"}
    assert later[0] == 200


def test_python_of_the_documentation_runs(make_client, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    with running(make_client().app) as address:
        names = {}
        exec(snippet.replace("http://127.0.0.1:8000", address), names)
        names["server"].close()
    assert names["found"]["categories"] == ["cat", "dog"]
    assert names["given"]["boxes"] == [[130, 60, 190, 110]]


def test_queries_of_the_documentation_are_understood():
    commands = re.findall(r"-F 'query=(.*?)' http\S+/api/(\w+)", PAGE)
    assert [action for _, action in commands] == ["detect", "find"]
    for query, action in commands:
        parse({"detect": DetectQuery, "find": FindQuery}[action], query)


def test_statuses_of_the_documentation_are_those_described(client):
    described = set()
    for route in client.get("/openapi.json").json()["paths"].values():
        for method in route.values():
            described |= set(method["responses"])
    statuses = {
        code for row in re.findall(r"^\| ([\d, ]+) \|", PAGE, re.M) for code in row.split(", ")
    }
    assert statuses == described - {"200"}
