import numpy as np
import pytest
import torch
from PIL import Image

from ovarnet.errors import InputError
from ovarnet.io.images import LARGEST, list_images, read_image, read_image_size, to_pixels

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


def test_arrays_are_checked(tmp_path):
    good = np.zeros((4, 6, 3), dtype=np.uint8)
    assert read_image(good) is good
    assert read_image(good[:, ::-1]).flags.c_contiguous
    for bad in (
        np.zeros((4, 6)),
        np.zeros((4, 6, 4), np.uint8),
        np.zeros((3, 4, 6), np.uint8),
        np.zeros((0, 6, 3), np.uint8),
    ):
        with pytest.raises(InputError, match="shape"):
            read_image(bad)
    with pytest.raises(InputError, match="float32; expected uint8"):
        read_image(good.astype(np.float32))
    with pytest.raises(InputError, match="got list"):
        read_image([1, 2])
    with pytest.raises(InputError, match="floating point"):
        read_image(Image.new("F", (2, 2)))


def test_list_images(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "none").mkdir()
    for name in ("c.JPG", "b/a.png", "a.txt", ".hidden.jpg"):
        (tmp_path / name).write_bytes(b"x")
    assert [p.relative_to(tmp_path).as_posix() for p in list_images([tmp_path])] == [
        "b/a.png",
        "c.JPG",
    ]
    given = [tmp_path / "a.txt", tmp_path / "missing.jpg", tmp_path / "c.JPG"]
    assert list_images([*given, tmp_path]) == [*given, tmp_path / "b/a.png"]
    with pytest.raises(InputError, match="no image in this folder"):
        list_images([tmp_path / "none"])


def test_pixels_are_planes_of_floats():
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    pixels = to_pixels(image)
    assert pixels.shape == (3, 4, 6)
    assert pixels.dtype == torch.float32
    assert pixels.is_contiguous()
    assert torch.equal(pixels, torch.from_numpy(image).permute(2, 0, 1).float() / 255)
    assert pixels[1, 2, 5] == np.float32(image[2, 5, 1]) / 255
