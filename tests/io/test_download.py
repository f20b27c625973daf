"""Files from a web server on this machine, whole, missing, too large, too slow and cut off."""

import socket
import threading

import pytest
from web_server import answer, web_server

from ovarnet.errors import InputError
from ovarnet.io.download import download, is_url, url_name

OVER = threading.Event()
"""Ends the answers that would never end."""


def cut_off(handler):
    answer(b"half", Content_Length="8")(handler)
    handler.close_connection = True


def trickle(handler):
    answer(b"", Content_Length=None)(handler)
    while not OVER.wait(0.02):
        handler.wfile.write(b".")


def silence(handler):
    OVER.wait()


@pytest.fixture(scope="module")
def site():
    answers = {
        "/ten": answer(b"0123456789"),
        "/unknown-size": answer(b"0123456789", Content_Length=None),
        "/a%20photo.png?size=2": answer(b"spaced"),
        "/moved": answer(b"", status=302, Location="/ten"),
        "/trap": answer(b"", status=302, Location="file:///etc/passwd"),
        "/page": answer(b"<html>", kind="text/html; charset=utf-8"),
        "/broken": answer(b"", status=500),
        "/cut": cut_off,
        "/trickle": trickle,
        "/silence": silence,
    }
    with web_server(answers) as address:
        yield address
        OVER.set()


def refusal(url, **limits):
    with pytest.raises(InputError) as caught:
        download(url, **limits)
    return str(caught.value).replace(url, "URL")


def test_content_also_after_a_redirect_and_with_letters_that_must_be_quoted(site):
    assert download(f"{site}/ten") == download(f"{site}/moved") == b"0123456789"
    assert download(f"{site}/a photo.png?size=2") == b"spaced"
    assert download(f"{site}/a%20photo.png?size=2") == b"spaced"


def test_size_limit_with_and_without_a_declared_size(site):
    for path in ("ten", "unknown-size"):
        assert download(f"{site}/{path}", most_bytes=10) == b"0123456789"
        told = refusal(f"{site}/{path}", most_bytes=9)
        assert told == "URL: larger than 0 MB; download it yourself and give the file"


def test_time_limit_of_a_silent_server_and_of_one_that_trickles(site):
    assert refusal(f"{site}/silence", seconds=0.1).startswith("URL: not received within 0.1 s;")
    assert refusal(f"{site}/trickle", seconds=0.1).startswith("URL: not received within 0.1 s;")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("missing", "URL: the server answers 404 Not Found; check the address"),
        ("broken", "URL: the server answers 500 Internal Server Error; check the address"),
        ("cut", "URL: only 4 of 8 bytes arrived; try again"),
        ("page", "URL: is a web page, not a file; give the address of the file itself"),
    ],
)
def test_what_is_no_file(site, path, told):
    assert refusal(f"{site}/{path}").startswith(told)


def test_a_redirect_never_leads_to_a_file_of_this_machine(site):
    assert refusal(f"{site}/trap").startswith("URL: the server answers 302")


def test_no_server_and_no_address():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a.png"
    assert refusal(url).startswith("URL: cannot be downloaded ([Errno 111] Connection refused);")
    assert refusal("http://x.org:port/a.png").startswith("URL: cannot be downloaded (nonnumeric")
    assert refusal("http://[x/a.png").startswith("URL: not a valid URL (Invalid IPv6 URL); check")
    assert refusal("http:///a.png").startswith("URL: cannot be downloaded (no host given)")


def test_urls_and_the_names_of_their_files():
    assert [is_url(text) for text in ("http://x.org", "HTTPS://x.org", "http:/x", "x.jpg")] == [
        True,
        True,
        False,
        False,
    ]
    assert not is_url(b"http://x.org")
    assert url_name("https://x.org/b/photo%201.jpg?size=2#top") == "photo 1.jpg"
    assert url_name("https://x.org/a%2Fb%3A.jpg") == "a_b_.jpg"
    assert url_name("https://x.org/") == url_name("https://x.org") == "x.org"
    assert url_name("https://x.org:80") == "x.org_80"
