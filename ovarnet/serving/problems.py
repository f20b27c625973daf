"""Every failure as JSON with one line: ``{"error": "..."}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ovarnet.errors import InputError

BAD_INPUT, NOT_UNDERSTOOD, FAILED = 400, 422, 500
PLAINER = {
    "extra_forbidden": "no such field; /docs lists those there are",
    "model_attributes_type": "the body must be a JSON object, sent with the header "
    "Content-Type: application/json",
}
"""Where pydantic's own text speaks of Python."""


def problem(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The response for a failure.

    Args:
        status: of HTTP.
        message: one line that says what is wrong and how to fix it.
        headers: such as Retry-After.
    """
    return JSONResponse({"error": message}, status, headers)


def add_handlers(app: FastAPI) -> None:
    """Answer what routes raise; what nobody foresaw is logged, and its text stays in the log."""

    @app.exception_handler(InputError)
    async def bad_input(_: Request, error: InputError) -> JSONResponse:
        return problem(BAD_INPUT, str(error))

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, error.detail, error.headers)

    @app.exception_handler(RequestValidationError)
    async def not_understood(_: Request, error: RequestValidationError) -> JSONResponse:
        return problem(NOT_UNDERSTOOD, in_one_line(error.errors()))

    @app.exception_handler(Exception)
    async def failed(_: Request, __: Exception) -> JSONResponse:
        return problem(FAILED, "the server failed; its log says why")


def in_one_line(errors: Any) -> str:
    """The first complaint of a validation, with the field it is about, and the number of others.

    Args:
        errors: as pydantic lists them.
    """
    first, *others = errors
    place = [str(step) for step in first["loc"] if step not in ("body", "path", "query")]
    text = first["msg"].removeprefix("Value error, ")
    text = PLAINER.get(first["type"], text)
    if text.startswith("Expected UploadFile"):
        text = "must be a file"
    line = ": ".join(filter(None, [".".join(place), text]))
    return line + (f" (and {len(others)} more)" if others else "")
