"""Puts the server together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from ovarnet import __version__
from ovarnet.modeling.predictor import Predictor
from ovarnet.serving.body_limit import BodyLimit
from ovarnet.serving.detection_routes import detection_routes
from ovarnet.serving.examples import PHOTOS
from ovarnet.serving.limits import Limits
from ovarnet.serving.page_routes import page_routes
from ovarnet.serving.picture_service import PictureService
from ovarnet.serving.problems import add_handlers
from ovarnet.serving.product_routes import product_routes
from ovarnet.serving.product_search import ProductSearch
from ovarnet.serving.schema import Example, Model
from ovarnet.serving.work_queue import WorkQueue


def create_app(
    predictor: Predictor,
    name: str,
    *,
    note: str = "",
    limits: Limits | None = None,
    examples: Sequence[Example] = PHOTOS,
    products: ProductSearch | None = None,
) -> FastAPI:
    """The web application, for `uvicorn.run` or a test client.

    Args:
        predictor: a loaded model.
        name: what the model is called on the page.
        note: what to know about its weights, shown on the page; may be empty.
        limits: what is accepted; None: the defaults.
        examples: pictures of the package that the page offers.
        products: a catalogue to search on a page of its own; None: there is no such page.

    Returns:
        The application: the page at /, the API under /api, its description at /docs.
    """
    limits = limits or Limits()
    service = PictureService(predictor, limits)
    queue = WorkQueue(limits.waiting, limits.seconds)
    words = service.own_words.words
    about = Model(
        name=name,
        version=__version__,
        note=note,
        threshold=predictor.model.threshold,
        categories=words.category_names,
        attributes=words.attribute_names,
        upload_bytes=limits.upload_bytes,
        pixels=limits.pixels,
        examples=list(examples),
        products=0 if products is None else len(products),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        queue.close()

    # the description at /docs comes from files of a package, not from a CDN
    app = FastAPIOffline(
        title="ovarnet",
        version=__version__,
        description="Open-vocabulary detection with attributes. Every failure is "
        '{"error": "one line"}.',
        lifespan=lifespan,
        redoc_url=None,
    )
    add_handlers(app)
    app.add_middleware(BodyLimit, most=limits.upload_bytes, seconds=limits.seconds)
    app.include_router(page_routes(examples, has_products=products is not None))
    app.include_router(detection_routes(service, queue))
    if products is not None:
        app.include_router(product_routes(products, queue, limits))

    @app.get("/api/model", tags=["model"])
    async def model() -> Model:
        """Which model serves, its words, and what the server accepts."""
        return about

    return app
