"""Files at http and https addresses, read within limits of size and time."""

from __future__ import annotations

import io
import re
import time
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from typing import BinaryIO
from urllib.parse import quote, unquote

import ovarnet
from ovarnet.errors import InputError

IMAGE_BYTES = 100_000_000
"""Most bytes of an image that are downloaded."""
IMAGE_SECONDS = 60.0
SILENCE_SECONDS = 20.0
"""Longest wait for a server that sends nothing."""
CHUNK = 1 << 16


def is_url(source: object) -> bool:
    """Whether `source` is the text of an http or https address."""
    return isinstance(source, str) and re.match(r"https?://", source, re.IGNORECASE) is not None


def url_name(url: str) -> str:
    """The file name in a URL, ``photo 1.jpg`` of ``https://x.org/photo%201.jpg?size=2``.

    Returns:
        The last part of the path without query, fit for a file name; the host where there is none.
    """
    path = re.split(r"[?#]", url)[0].rstrip("/")
    name = unquote(path.rpartition("/")[2])
    return re.sub(r'[\x00-\x1f/\\:*?"<>|]', "_", name)


def download(url: str, most_bytes: int = IMAGE_BYTES, seconds: float = IMAGE_SECONDS) -> bytes:
    """Read the content of a URL.

    Args:
        url: http or https; redirects to other http or https addresses are followed.
        most_bytes: a larger file is refused, before it is read where the server tells its size.
        seconds: longest time for the whole file.

    Raises:
        InputError: no such address or file, a web page instead of a file, too large, too slow, or
            cut off.
    """
    content = io.BytesIO()
    download_to(content, url, most_bytes, seconds)
    return content.getvalue()


def download_to(file: BinaryIO, url: str, most_bytes: int, seconds: float) -> None:
    """As `download`, but writes to a file that is open for writing."""
    until = time.monotonic() + seconds
    by_hand = "download it yourself and give the file"
    try:
        with _open(url, seconds) as response:
            _check_kind(url, response)
            expected = response.length
            too_large = InputError(f"{url}: larger than {most_bytes / 1e6:,.0f} MB; {by_hand}")
            if (expected or 0) > most_bytes:
                raise too_large

            received = 0
            # read1 returns what has arrived, so that a server that trickles meets the time limit
            while chunk := response.read1(CHUNK):
                received += len(chunk)
                if received > most_bytes:
                    raise too_large
                if time.monotonic() > until:
                    raise TimeoutError
                file.write(chunk)
    except urllib.error.HTTPError as error:
        raise InputError(
            f"{url}: the server answers {error.code} {error.reason}; check the address"
        ) from None
    except TimeoutError:
        raise InputError(f"{url}: not received within {seconds:g} s; {by_hand}") from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        if isinstance(reason, TimeoutError):
            raise InputError(f"{url}: no answer within {seconds:g} s; {by_hand}") from None
        raise InputError(
            f"{url}: cannot be downloaded ({reason}); check the address and the connection"
        ) from None
    if expected is not None and received < expected:
        raise InputError(f"{url}: only {received:,} of {expected:,} bytes arrived; try again")


def _open(url: str, seconds: float) -> HTTPResponse:
    # spaces and letters beyond ASCII, as people paste them; what is quoted already stays
    quoted = quote(url, safe="%/:=&?~#+!$,;'@()*[]")
    # some servers refuse the name of Python's own client
    headers = {"User-Agent": f"ovarnet/{ovarnet.__version__}"}
    try:
        request = urllib.request.Request(quoted, headers=headers)
        return _web_only().open(request, timeout=min(seconds, SILENCE_SECONDS))
    except ValueError as error:  # such as brackets that do not close
        raise InputError(f"{url}: not a valid URL ({error}); check the address") from None


def _web_only() -> urllib.request.OpenerDirector:
    """An opener without those for ftp:, file: and data:, to which a server could redirect."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


def _check_kind(url: str, response: HTTPResponse) -> None:
    if response.headers.get_content_type() == "text/html":
        raise InputError(
            f"{url}: is a web page, not a file; give the address of the file itself, which "
            "browsers show after 'open image in new tab'"
        )
