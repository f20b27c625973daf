"""The bytes of a body are counted as they arrive, whatever its headers claim."""

import asyncio

from starlette.exceptions import HTTPException

from ovarnet.serving.body_limit import BodyLimit
from ovarnet.serving.limits import Limits


def served(parts, headers=(), most=10, seconds=5.0, delay=0.0):
    """What reaches the application, what it raised, and what is sent back."""
    arrived, sent, raised = [], [], []

    async def app(scope, receive, send):
        try:
            while True:
                message = await receive()
                arrived.append(message["body"])
                if not message["more_body"]:
                    return
        except HTTPException as error:
            raised.append((error.status_code, error.detail))

    async def run():
        waiting = list(parts)

        async def receive():
            await asyncio.sleep(delay)
            part = waiting.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(waiting)}

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "headers": list(headers)}
        await BodyLimit(app, most, seconds)(scope, receive, send)
        return waiting

    left = asyncio.run(run())
    return arrived, raised, sent, left


def test_a_body_of_the_limit_passes():
    assert served([b"12345", b"67890"]) == ([b"12345", b"67890"], [], [], [])


def test_one_byte_more_is_refused_while_it_arrives():
    arrived, raised, _, left = served([b"12345", b"678901", b"more"])
    assert arrived == [b"12345"]
    assert raised == [
        (413, "the upload has more than 1e-05 MB; scale the image down or save it as JPEG")
    ]
    assert left == [b"more"]


def test_a_declared_length_is_refused_before_the_application_sees_it():
    parts = [b"12345", b"678901"]
    arrived, _, sent, left = served(parts, headers=[(b"content-length", b"11")])
    assert arrived == []
    assert sent[0]["status"] == 413
    assert left == []  # was read, so that the client reads the answer


def test_no_more_than_four_times_the_limit_is_thrown_away():
    _, _, sent, left = served([b"123456789."] * 9, headers=[(b"content-length", b"90")])
    assert sent[0]["status"] == 413
    assert len(left) == 4


def test_a_slow_body_is_given_up():
    arrived, raised, _, _ = served([b"1"] * 9, seconds=0.05, delay=0.02)
    assert 0 < len(arrived) < 5
    assert [status for status, _ in raised] == [408]


def test_large_uploads_are_one_line_for_the_client(make_client):
    client = make_client(limits=Limits(upload_bytes=1000))
    declared = client.post("/api/images", files={"image": ("a.png", b"x" * 1001)})
    streamed = client.post(
        "/api/images",
        content=iter([b"x" * 600] * 2),
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    for answer in (declared, streamed):
        assert answer.status_code == 413
        assert answer.json() == {
            "error": "the upload has more than 0.001 MB; scale the image down or save it as JPEG"
        }
