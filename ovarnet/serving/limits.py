"""What one server accepts."""

from __future__ import annotations

from dataclasses import dataclass

from ovarnet.errors import InputError

MEGA = 1_000_000


@dataclass(frozen=True)
class Limits:
    """Bounds on requests, so that no client can exhaust the server.

    Args:
        upload_bytes: largest body of a request, and so about the largest image file.
        pixels: largest width x height of an image, checked before it is decoded.
        waiting: requests that wait for the model beside the one that it works on.
        seconds: longest time to receive a request, and longest time to wait for its result.
        pictures: images whose regions are kept for further words, the latest used ones.

    Raises:
        InputError: a bound that is not positive.
    """

    upload_bytes: int = 20 * MEGA
    pixels: int = 50 * MEGA
    waiting: int = 32
    seconds: float = 120.0
    pictures: int = 32

    def __post_init__(self):
        for name, value in vars(self).items():
            if value <= 0:
                raise InputError(f"{name} is {value}; the limits of a server must be above 0")
