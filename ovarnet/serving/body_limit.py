"""Refuses request bodies that are too large or too slow, while they arrive."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ovarnet.serving.limits import MEGA
from ovarnet.serving.problems import problem

TOO_LARGE, TOO_SLOW = 413, 408
DRAINED = 4
"""How many times the limit is read and thrown away, so that a client gets to read the answer."""


class BodyLimit:
    """ASGI middleware that counts the bytes of a body, whatever its headers claim.

    Args:
        app: what is protected.
        most: bytes of a body.
        seconds: time for the whole body.
    """

    def __init__(self, app: ASGIApp, most: int, seconds: float):
        self.app, self.most, self.seconds = app, most, seconds
        self.too_large = HTTPException(
            TOO_LARGE,
            f"the upload has more than {most / MEGA:g} MB; scale the image down or save it as JPEG",
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body counted."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared) > self.most:
            await self._drain(receive)
            await problem(self.too_large.status_code, self.too_large.detail)(scope, receive, send)
            return
        await self.app(scope, _Counted(self, receive), send)

    async def _drain(self, receive: Receive) -> None:
        """Read what a client sends before it reads; an answer before that looks like a crash."""
        counted = _Counted(self, receive)
        counted.left = DRAINED * self.most
        try:
            while (await counted()).get("more_body"):
                pass
        except HTTPException:
            return


class _Counted:
    """The `receive` of one request, with what is left of its bytes and of its time."""

    def __init__(self, limit: BodyLimit, receive: Receive):
        self.limit, self.receive = limit, receive
        self.left = limit.most
        self.ends = asyncio.get_running_loop().time() + limit.seconds
        self.complete = False

    async def __call__(self) -> Message:
        if self.complete:  # what follows the body is the client's leaving, at any time
            return await self.receive()
        remaining = self.ends - asyncio.get_running_loop().time()
        try:
            message = await asyncio.wait_for(self.receive(), max(remaining, 0))
        except asyncio.TimeoutError:
            raise HTTPException(
                TOO_SLOW,
                f"the upload was not complete after {self.limit.seconds:g} seconds; send a "
                "smaller image",
            ) from None
        self.left -= len(message.get("body", b""))
        if self.left < 0:
            raise self.limit.too_large
        self.complete = not message.get("more_body", False)
        return message
