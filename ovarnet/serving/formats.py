"""An answer as JSON, as COCO results or as a picture."""

from __future__ import annotations

import io
from pathlib import Path

from fastapi.responses import JSONResponse, Response
from PIL import Image

from ovarnet.drawing.image_file import JPEG_QUALITY
from ovarnet.io.results import coco_results, image_ids, image_record
from ovarnet.serving.picture_service import Answer
from ovarnet.serving.schema import BoxesAndFormat, FindQuery


def response(answer: Answer, query: BoxesAndFormat) -> Response:
    """The answer in the format of the query; a picture is drawn here, which takes a while."""
    if query.format == "json":
        return JSONResponse(record(answer))
    if query.format == "coco":
        file = answer.picture.file
        return JSONResponse(coco_results(file, image_ids([file])[0], answer.found))
    return Response(jpeg(answer, query), media_type="image/jpeg")


def record(answer: Answer) -> dict:
    """The fields of `schema.Result`."""
    picture, rows = answer.picture, len(answer.found)
    return {
        "image": picture.key,
        **image_record(picture.file, picture.width, picture.height, answer.found),
        "attribute_types": answer.attribute_types,
        "given": [row >= rows - answer.given for row in range(rows)],
        "unused": list(answer.unused),
    }


def jpeg(answer: Answer, query: BoxesAndFormat) -> bytes:
    """The image with boxes and labels; for a phrase, with the rank of each box."""
    ranks = None
    if isinstance(query, FindQuery):
        order = answer.found.scores.argsort(descending=True, stable=True)
        ranks = (order.argsort() + 1).tolist()
    drawn = answer.found.plot(
        answer.picture.pixels,
        top_attributes=query.top_attributes,
        attribute_threshold=query.attribute_threshold,
        ranks=ranks,
    )
    file = io.BytesIO()
    Image.fromarray(drawn).save(file, format="JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def short_name(name: str | None) -> str:
    """What a client calls its file, without folders and of a sensible length; never opened."""
    return Path((name or "").replace("\\", "/")).name.strip()[-80:] or "picture"
