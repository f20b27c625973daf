import io

import numpy as np
import pytest
import torch
from PIL import EpsImagePlugin, Image, PngImagePlugin, features
from web_server import answer, web_server

from ovarnet.errors import InputError
from ovarnet.io.images import LARGEST, count_pixels, read_image, read_image_size, to_pixels

RED, WHITE, BLACK = [255, 0, 0], [255, 255, 255], [0, 0, 0]


def saved(tmp_path, image, name, **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


def test_rgb_png_is_read_exactly_and_contiguous(tmp_path):
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    out = read_image(saved(tmp_path, Image.fromarray(pixels), "a.png"))
    assert out.dtype == np.uint8
    assert out.flags.c_contiguous
    assert (out == pixels).all()
    assert (read_image(str(tmp_path / "a.png")) == pixels).all()


def test_a_url_is_read_as_the_file_that_it_leads_to(tmp_path):
    path = saved(tmp_path, Image.new("RGB", (5, 4), (9, 8, 7)), "a.png")
    answers = {"/a.png": answer(path.read_bytes()), "/b.png": answer(b"no image")}
    with web_server(answers) as address:
        assert (read_image(f"{address}/a.png") == read_image(path)).all()
        with pytest.raises(InputError) as caught:
            read_image(f"{address}/b.png")
    assert str(caught.value).startswith(f"{address}/b.png: not an image that can be read")
    with pytest.raises(InputError) as caught:
        read_image(tmp_path.__class__("http://x.org/a.png"))
    assert str(caught.value).startswith("http://x.org/a.png is a URL; give it as text, not as")
    for address in ("ftp://x.org/a.png", "file:///a.png"):
        with pytest.raises(InputError, match="not an address that is read; give an http or https"):
            read_image(address)
    with pytest.raises(InputError, match=r"^missing/a:/b\.png: no such file"):
        read_image("missing/a:/b.png")


def test_exif_rotation_turns_pixels_and_size(tmp_path):
    """Orientation 6: the camera was turned, the stored picture (2 high, 3 wide) must be shown
    turned clockwise (3 high, 2 wide)."""
    stored = np.array([[[10], [20], [30]], [[40], [50], [60]]], dtype=np.uint8).repeat(3, axis=2)
    image = Image.fromarray(stored)
    exif = image.getexif()
    exif[0x0112] = 6
    path = saved(tmp_path, image, "turned.png", exif=exif)
    assert read_image(path)[..., 0].tolist() == [[40, 10], [50, 20], [60, 30]]
    assert read_image_size(path) == (3, 2)
    with Image.open(path) as opened:
        assert read_image(opened).shape == (3, 2, 3)


def test_size_of_plain_jpeg(tmp_path):
    assert read_image_size(saved(tmp_path, Image.new("RGB", (7, 4)), "a.jpg")) == (4, 7)


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_pixels_are_counted_by_the_header_alone(name, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 70, 3), dtype=np.uint8)
    content = saved(tmp_path, Image.fromarray(noise), name).read_bytes()
    cut = content[: len(content) * 2 // 3]
    with pytest.raises(InputError):
        read_image(cut)
    assert count_pixels(cut) == count_pixels(io.BytesIO(cut)) == 2800


@pytest.mark.parametrize(
    ("mode", "fill", "name", "expected"),
    [
        ("L", 77, "grey.png", [77, 77, 77]),
        ("1", 1, "bits.png", WHITE),
        ("LA", (0, 0), "grey_alpha.png", WHITE),
        ("RGBA", (255, 0, 0, 255), "opaque.png", RED),
        ("RGBA", (255, 0, 0, 0), "clear.png", WHITE),
        (
            "RGBA",
            (0, 0, 0, 51),
            "fifth.png",
            [204, 204, 204],
        ),  # 51 / 255 = one fifth black on white
        ("CMYK", (0, 0, 0, 0), "cmyk.jpg", WHITE),
        ("CMYK", (0, 0, 0, 255), "cmyk_black.jpg", BLACK),
        ("I;16", 65535, "white16.png", WHITE),
        ("I;16", 257 * 100, "grey16.png", [100, 100, 100]),
    ],
)
def test_modes(tmp_path, mode, fill, name, expected):
    out = read_image(saved(tmp_path, Image.new(mode, (5, 4), fill), name))
    assert out.shape == (4, 5, 3)
    assert (out == expected).all(), out[0, 0]


def test_palette_with_a_transparent_colour(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    assert read_image(saved(tmp_path, image, "plain.png")).tolist() == [[RED, [0, 0, 255]]]
    assert read_image(saved(tmp_path, image, "clear.png", transparency=1)).tolist() == [
        [RED, WHITE]
    ]


def test_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (3, 2), colour) for colour in ("red", "blue")]
    assert (
        read_image(saved(tmp_path, frames[0], "a.gif", save_all=True, append_images=frames[1:]))
        == RED
    ).all()


@pytest.mark.parametrize("size", [(1, 1), (20000, 20), (20, 20000)])
def test_extreme_sizes(tmp_path, size):
    assert read_image(saved(tmp_path, Image.new("RGB", size, "red"), "a.png")).shape == (
        size[1],
        size[0],
        3,
    )


def test_bomb_is_an_error_but_a_large_image_gives_no_warning(tmp_path, monkeypatch, recwarn):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    assert read_image(saved(tmp_path, Image.new("RGB", (10, 9)), "large.png")).shape == (
        9,
        10,
        3,
    )  # 90 pixels: Pillow would warn
    assert not recwarn.list
    with pytest.raises(InputError, match=r"bomb\.png: more than"):
        read_image(saved(tmp_path, Image.new("RGB", (10, 11)), "bomb.png"))  # 110 pixels > 2 x 50
    assert LARGEST == 178_956_970


def test_unreadable_files(tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("not a picture")
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    for suffix in ("jpg", "png", "webp"):
        whole = saved(tmp_path, noise, f"whole.{suffix}").read_bytes()
        (tmp_path / f"half.{suffix}").write_bytes(whole[: len(whole) // 2])
    for name, message in {
        "empty.jpg": "is empty",
        "text.jpg": "not an image",
        "half.jpg": "truncated",
        "half.png": "truncated",
        "half.webp": "half.webp",
        "missing.jpg": "no such file",
        ".": "folder",
    }.items():
        with pytest.raises(InputError, match=message) as raised:
            read_image(tmp_path / name)
        assert str(tmp_path) in str(raised.value)
        assert "\n" not in str(raised.value)


def test_arrays_tensors_bytes_and_file_objects_are_the_same_image(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    path = saved(tmp_path, Image.fromarray(pixels), "a.png")
    assert read_image(pixels) is pixels
    content = path.read_bytes()
    for given in (
        content,
        bytearray(content),
        memoryview(content),
        io.BytesIO(content),
        Image.open(path),
        torch.from_numpy(pixels),
        torch.from_numpy(pixels).permute(2, 0, 1),
        torch.from_numpy(pixels).permute(2, 0, 1) / 255,
    ):
        assert np.array_equal(read_image(given), pixels), type(given)
    with path.open("rb") as file:
        assert np.array_equal(read_image(file), pixels)
    assert np.array_equal(read_image(pixels[..., ::-1], channel_order="BGR"), pixels)
    assert np.array_equal(read_image(path, channel_order="BGR"), pixels), "a file knows its order"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1, 2], "got list"),
        (None, "got NoneType"),
        (b"", "image bytes: the file is empty"),
        (b"not an image", "image bytes: not an image"),
        (io.StringIO("text"), "file object gives text; open the file in binary mode"),
        (Image.new("F", (2, 2)), "floating point"),
        (np.zeros((7, 6, 5), np.uint8), r"image array has shape \(7, 6, 5\)"),
    ],
)
def test_what_is_no_image_is_one_line(given, message):
    with pytest.raises(InputError, match=message) as raised:
        read_image(given)
    assert "\n" not in str(raised.value)


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n{} loop\n"


def test_postscript_is_never_run(tmp_path, monkeypatch):
    """Whatever the file is called: Ghostscript would loop on this one for ever."""

    def run(*_, **__):
        raise AssertionError("a program was started")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", run)
    for name in ("a.jpg", "a.eps", "a.png"):
        (tmp_path / name).write_bytes(POSTSCRIPT)
        for read in (read_image, read_image_size):
            with pytest.raises(InputError, match=rf"{name}: not an image that can be read"):
                read(tmp_path / name)
    with pytest.raises(InputError, match="image bytes: not an image that can be read"):
        read_image(POSTSCRIPT)
    with (
        Image.open(tmp_path / "a.eps") as opened,
        pytest.raises(InputError, match="EPS is not a raster image"),
    ):
        read_image(opened)


@pytest.mark.parametrize("kind", ["PCX", "TGA", "SGI", "ICO", "XBM"])
def test_other_formats_of_pillow_stay_closed(tmp_path, kind):
    path = tmp_path / "a.png"
    Image.new("1" if kind == "XBM" else "RGB", (16, 16)).save(path, format=kind)
    with pytest.raises(InputError, match="not an image that can be read"):
        read_image(path)


@pytest.mark.parametrize("error", [RuntimeError("Failed to decode"), MemoryError(), TypeError("x")])
def test_whatever_a_decoder_raises_is_one_bad_image(tmp_path, monkeypatch, error):
    path = saved(tmp_path, Image.new("RGB", (3, 2)), "a.png")

    def load(self):
        raise error

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", load)
    with pytest.raises(
        InputError, match=r"a\.png: cannot be decoded \((Failed to decode|MemoryError|x)\)"
    ):
        read_image(path)


def outcome(path):
    """The message about a file that cannot be read, "" for one that can."""
    try:
        read_image(path)
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif_is_read_and_a_damaged_one_is_one_line(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    path = saved(tmp_path, Image.fromarray(noise), "a.avif", quality=100)
    assert read_image(path).shape == (64, 64, 3)
    whole = path.read_bytes()
    messages = []
    for cut in range(16, len(whole) - 1, max(1, len(whole) // 40)):
        path.write_bytes(whole[:cut] + bytes(len(whole) - cut))
        messages.append(outcome(path))
    assert any(messages)
    assert all(message.startswith(f"{path}: ") for message in messages if message)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "gif", "bmp", "tif", "ppm"])
def test_damaged_files_are_read_or_one_line(tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    path = saved(tmp_path, Image.fromarray(noise), f"a.{kind}")
    whole, rng = path.read_bytes(), np.random.default_rng(1)
    for _ in range(60):
        damaged = bytearray(whole)
        for place in (*rng.integers(0, len(whole), 4), *rng.integers(0, 64, 2)):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        message = outcome(path)
        assert not message or message.startswith(f"{path}: ")
        assert "\n" not in message


def test_pixels_are_planes_of_floats():
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    pixels = to_pixels(image)
    assert pixels.shape == (3, 4, 6)
    assert pixels.dtype == torch.float32
    assert pixels.is_contiguous()
    assert torch.equal(pixels, torch.from_numpy(image).permute(2, 0, 1).float() / 255)
    assert pixels[1, 2, 5] == np.float32(image[2, 5, 1]) / 255
