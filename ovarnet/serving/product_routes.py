"""The tab of products: search a catalogue by a phrase or by a photo."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response
from PIL import Image
from starlette.exceptions import HTTPException

from ovarnet.drawing.image_file import JPEG_QUALITY
from ovarnet.errors import InputError
from ovarnet.serving.detection_routes import FORM, PROBLEMS, Upload, parse
from ovarnet.serving.formats import short_name
from ovarnet.serving.limits import Limits
from ovarnet.serving.product_search import Hit, ProductSearch
from ovarnet.serving.schema import (
    CatalogueInfo,
    FoundProduct,
    FoundProducts,
    ProductPhraseQuery,
    ProductQuery,
)
from ovarnet.serving.uploads import check_pixels, decode
from ovarnet.serving.work_queue import WorkQueue

SIDE = 320
"""Longest side of the photo of a product on the page, in pixels."""
KEPT_BY_BROWSER = {"Cache-Control": "private, max-age=3600"}


def product_routes(products: ProductSearch, queue: WorkQueue, limits: Limits) -> APIRouter:
    """The routes under /api/products.

    Args:
        products: the catalogue; queries are encoded in the thread of `queue`.
        queue: where requests wait.
        limits: `pixels` of a photo is applied here.
    """
    routes = APIRouter(prefix="/api/products", tags=["products"])
    about = CatalogueInfo(
        products=len(products),
        model=products.model,
        labels={name: list(values) for name, values in products.labels.items()},
    )

    def by_photo(file: str, content: bytes, query: ProductQuery) -> FoundProducts:
        check_pixels(file, content, limits.pixels)
        hits = products.by_photo(decode(file, content), query.top, query.where)
        return found(file, hits)

    @routes.get("")
    async def catalogue() -> CatalogueInfo:
        """How many products there are, and the labels to filter by."""
        return about

    @routes.post("/find", responses=PROBLEMS)
    async def find_products(query: ProductPhraseQuery) -> FoundProducts:
        """Find products by a phrase, best first."""
        phrase = query.phrase.strip()
        if not phrase:
            raise InputError('the phrase is empty; write what to find, such as "a red mug"')
        hits = await queue.run(products.by_phrase, phrase, query.top, query.where)
        return found(phrase, hits)

    @routes.post("/find-by-photo", responses=PROBLEMS, dependencies=FORM)
    async def find_products_by_photo(
        image: Upload,
        query: Annotated[str, Form(description="JSON: the fields of ProductQuery")] = "{}",
    ) -> FoundProducts:
        """Find products that look like the one on a photo, best first."""
        parsed = parse(ProductQuery, query)
        return await queue.run(by_photo, short_name(image.filename), await image.read(), parsed)

    # not in the queue: a page shows dozens, and the model is not needed
    @routes.get("/photo", responses={200: {"content": {"image/jpeg": {}}}})
    def photo_of_product(id: str) -> Response:
        """The first photo of a product, as a small JPEG."""
        pixels = products.photo(id)
        if pixels is None:
            raise HTTPException(404, "no such product")
        small = Image.fromarray(pixels)
        small.thumbnail((SIDE, SIDE))
        file = io.BytesIO()
        small.save(file, format="JPEG", quality=JPEG_QUALITY)
        return Response(file.getvalue(), media_type="image/jpeg", headers=KEPT_BY_BROWSER)

    return routes


def found(query: str, hits: Sequence[Hit]) -> FoundProducts:
    """The hits as the API gives them."""
    return FoundProducts(
        query=query,
        products=[
            FoundProduct(
                rank=rank,
                score=hit.score,
                id=hit.product.id,
                title=hit.product.title,
                labels=dict(hit.product.all_labels),
            )
            for rank, hit in enumerate(hits, start=1)
        ],
    )
