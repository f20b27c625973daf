"""The HTTP API: send an image, score words on it, look for a phrase in it."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from ovarnet.serving.formats import response, short_name
from ovarnet.serving.picture_service import KeptPicture, PictureService
from ovarnet.serving.problems import NOT_UNDERSTOOD
from ovarnet.serving.schema import (
    DetectQuery,
    FindQuery,
    Picture,
    Problem,
    ProductQuery,
    Result,
)
from ovarnet.serving.work_queue import WorkQueue

Q = TypeVar("Q", DetectQuery, FindQuery, ProductQuery)

PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "image, words, phrase or boxes that cannot be used"},
    408: {"model": Problem, "description": "an upload that took too long"},
    413: {"model": Problem, "description": "an upload or an image that is too large"},
    422: {"model": Problem, "description": "a request that is not understood"},
    503: {"model": Problem, "description": "the queue is full; Retry-After says when to return"},
    504: {"model": Problem, "description": "no result in time"},
}
RESULT: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    200: {"model": Result, "content": {"image/jpeg": {}}, "description": "as `format` says"},
}
UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "an image that is not kept; send it again"}
}


async def only_known_fields(request: Request) -> None:
    """Refuse a misspelt field of a form, which would be ignored otherwise."""
    unknown = (await request.form()).keys() - {"image", "query"}
    if unknown:
        raise HTTPException(
            NOT_UNDERSTOOD,
            f"{min(unknown)}: no such field; the form has image, a file, and query, JSON",
        )


Upload = Annotated[UploadFile, File(description="an image file: JPEG, PNG, WebP, TIFF, ...")]
FORM = [Depends(only_known_fields)]


def detection_routes(service: PictureService, queue: WorkQueue) -> APIRouter:
    """The routes under /api that work with images.

    Args:
        service: answers, in the thread of `queue`.
        queue: where requests wait.
    """
    routes = APIRouter(prefix="/api", tags=["images"])

    def scored(picture: KeptPicture, query: DetectQuery | FindQuery) -> Response:
        if isinstance(query, FindQuery):
            return response(service.find(picture, query), query)
        return response(service.detect(picture, query), query)

    def scored_by_key(key: str, query: DetectQuery | FindQuery) -> Response:
        return scored(service.picture(key), query)

    def scored_upload(file: str, content: bytes, query: DetectQuery | FindQuery) -> Response:
        return scored(service.add(file, content), query)

    @routes.post("/images", responses=PROBLEMS, dependencies=FORM)
    async def send_image(image: Upload) -> Picture:
        """Pass an image through the model, once for any number of words and phrases.

        The server keeps the latest images only.
        """
        kept = await queue.run(service.add, short_name(image.filename), await image.read())
        return Picture(
            image=kept.key,
            file=kept.file,
            width=kept.width,
            height=kept.height,
            boxes_found=len(kept.found.regions.boxes),
        )

    @routes.post("/images/{image}/detect", responses=RESULT | UNKNOWN)
    async def detect(image: str, query: DetectQuery) -> Response:
        """Score words on an image that was sent: on the boxes found, on yours, or on both."""
        return await queue.run(scored_by_key, image, query)

    @routes.post("/images/{image}/find", responses=RESULT | UNKNOWN)
    async def find(image: str, query: FindQuery) -> Response:
        """Rank the boxes of an image that was sent by a phrase."""
        return await queue.run(scored_by_key, image, query)

    @routes.post("/detect", responses=RESULT, dependencies=FORM)
    async def send_and_detect(
        image: Upload,
        query: Annotated[str, Form(description="JSON: the fields of DetectQuery")] = "{}",
    ) -> Response:
        """Send an image and score words on it, in one request."""
        parsed = parse(DetectQuery, query)
        return await queue.run(
            scored_upload, short_name(image.filename), await image.read(), parsed
        )

    @routes.post("/find", responses=RESULT, dependencies=FORM)
    async def send_and_find(
        image: Upload,
        query: Annotated[str, Form(description='JSON: {"phrase": "a red mug"}, see FindQuery')],
    ) -> Response:
        """Send an image and rank its boxes by a phrase, in one request."""
        parsed = parse(FindQuery, query)
        return await queue.run(
            scored_upload, short_name(image.filename), await image.read(), parsed
        )

    return routes


def parse(kind: type[Q], text: str) -> Q:
    """A query out of the field of a form.

    Raises:
        RequestValidationError: not JSON, or not such a query.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
