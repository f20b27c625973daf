"""The page, its files and the example pictures: a fixed list, nothing else of the disk is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from ovarnet.serving.examples import FOLDER as EXAMPLES
from ovarnet.serving.schema import Example

STATIC = Path(__file__).parent / "static"
PAGE, PRODUCTS = "index.html", "products.html"
HEADERS = {
    # the page needs nothing from elsewhere, and the browser makes sure of it
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def page_routes(examples: Sequence[Example], *, has_products: bool = False) -> APIRouter:
    """The routes that a browser opens.

    Args:
        examples: pictures of the package to offer.
        has_products: whether there is a catalogue, and so a page to search it.
    """
    files = {path.name: path for path in STATIC.iterdir() if path.is_file()}
    pictures = {example.file: EXAMPLES / example.file for example in examples}
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def page() -> FileResponse:
        return FileResponse(files[PAGE], headers=HEADERS)

    if has_products:

        @routes.get("/products")
        async def products() -> FileResponse:
            return FileResponse(files[PRODUCTS], headers=HEADERS)

    @routes.get("/static/{name}")
    async def static(name: str) -> FileResponse:
        return _known(files, name)

    @routes.get("/examples/{name}")
    async def example(name: str) -> FileResponse:
        return _known(pictures, name)

    return routes


def _known(files: dict[str, Path], name: str) -> FileResponse:
    if name not in files:
        raise HTTPException(404, "no such file")
    return FileResponse(files[name], headers=HEADERS)
