"""An application around the model of tests/helpers/fake_model.py, and an image for it."""

import io

import pytest
from fake_model import fake_predictor
from fastapi.testclient import TestClient
from PIL import Image

from ovarnet.serving.app import create_app


def png(width=60, height=40, colour=(128, 128, 128)):
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, format="PNG")
    return file.getvalue()


@pytest.fixture
def make_png():
    return png


@pytest.fixture
def make_client():
    """Options of `create_app` -> a client of the application."""

    def make(**options):
        app = create_app(fake_predictor(), "fake", **options)
        return TestClient(app, raise_server_exceptions=False)

    return make


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def key(client):
    """The name of an image of 60 x 40 pixels that was sent."""
    sent = client.post("/api/images", files={"image": ("photo.png", png())})
    return sent.json()["image"]
