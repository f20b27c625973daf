import pytest
from starlette.exceptions import HTTPException

from ovarnet.errors import InputError
from ovarnet.serving import uploads


def test_pixels_are_counted_by_the_header(make_png, monkeypatch):
    monkeypatch.setattr(uploads, "read_image", None)
    uploads.check_pixels("a.png", make_png(6, 4), 24)
    with pytest.raises(HTTPException) as error:
        uploads.check_pixels("a.png", make_png(6, 4), 23)
    assert error.value.status_code == 413
    assert error.value.detail == (
        "a.png: 24 pixels; the limit of this server is 23, scale the image down"
    )


def test_decoded_as_rgb(make_png):
    pixels = uploads.decode("a.png", make_png(6, 4, (1, 2, 3)))
    assert pixels.shape == (4, 6, 3)
    assert pixels[0, 0].tolist() == [1, 2, 3]


def test_messages_name_the_file_of_the_client():
    with pytest.raises(InputError, match=r"^a\.png: not an image"):
        uploads.decode("a.png", b"text")
