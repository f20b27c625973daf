"""Anything a person may get wrong, through the command line and a real, untrained model: one line,
exit 2, nothing written."""

import functools
import json
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from narrow_clips import narrow_clips
from omegaconf import OmegaConf
from PIL import Image

import ovarnet
from ovarnet.build import SHIPPED, build_proposer
from ovarnet.checkpoint import save_checkpoint
from ovarnet.cli import main as cli
from ovarnet.config import ClipSettings
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A checkpoint folder of the architecture of the shipped weights, untrained."""
    torch.manual_seed(0)
    settings = {
        "clip": {"name": "ovarnet-scenes"},
        "prompts": {"category": ["a photo of a {}."], "attribute": ["a {} object."]},
        "calibration": {"category": [1.0, 0.0], "attribute": [1.0, 0.0]},
        "proposer": {"kind": "scenes"},
    }
    parts = {
        "clip": load_clip("ovarnet-scenes", None, random_weights=True).model.state_dict(),
        "proposer": build_proposer("scenes", ClipSettings("ovarnet-scenes")).state_dict(),
    }
    return save_checkpoint(
        tmp_path_factory.mktemp("models") / "untrained",
        model="clip-attr",
        settings=settings,
        vocabulary=Vocabulary.of(["mug", "car"], ["red", "striped"]),
        parts=parts,
    )


@pytest.fixture(scope="module")
def load():
    return functools.cache(ovarnet.load)


@pytest.fixture
def detect(model, load, tmp_path, capsys, monkeypatch):
    """Runs the command; returns the exit code and what was printed on stderr. A model is loaded
    once for all tests."""
    monkeypatch.setitem(ovarnet.__dict__, "load", load)

    def run(*arguments, weights=model):
        code = cli.main(
            [
                "detect",
                *map(str, arguments),
                "--model",
                str(weights),
                "--output",
                str(tmp_path / "out"),
                "--device",
                "cpu",
                "--limit",  # an untrained model finds a hundred boxes, which take long to draw
                "3",
            ]
        )
        return code, capsys.readouterr().err

    return run


@pytest.fixture
def refused(detect, tmp_path):
    """Runs a command that must fail; returns its message."""

    def run(*arguments, **options):
        code, message = detect(*arguments, **options)
        assert code == 2
        assert message.startswith("error: "), message
        assert message.count("\n") == 1, message
        assert not (tmp_path / "out").exists()
        return message

    return run


@pytest.fixture
def good(tmp_path) -> Path:
    return saved(Image.fromarray(np.full((40, 60, 3), 90, np.uint8)), tmp_path / "good.png")


def saved(image: Image.Image, path: Path, **options) -> Path:
    image.save(path, **options)
    return path


def bomb(path: Path) -> Path:
    """A PNG of a few bytes that says it has 20000 x 20000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 99))
        + chunk(b"IEND", b"")
    )
    return path


def broken(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.jpg"
    if kind == "bomb":
        return bomb(path)
    if kind == "truncated":
        noise = np.random.default_rng(0).integers(0, 255, (99, 99, 3), dtype=np.uint8)
        path.write_bytes(saved(Image.fromarray(noise), path).read_bytes()[:2000])
    if kind == "empty":
        path.touch()
    if kind == "text":
        path.write_text("not an image")
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "no such file"),
        ("empty", "file is empty"),
        ("text", "not an image"),
        ("truncated", "truncated"),
        ("bomb", "pixels"),
    ],
)
def test_broken_image(kind, words, refused, tmp_path):
    path = broken(kind, tmp_path)
    message = refused(path)
    assert str(path) in message
    assert words in message


IMAGES = {
    "cmyk.jpg": (Image.new("CMYK", (30, 20), (0, 99, 99, 0)), (30, 20)),
    "grey.png": (Image.new("L", (30, 20), 99), (30, 20)),
    "palette.gif": (Image.new("P", (30, 20), 3), (30, 20)),
    "alpha.png": (Image.new("RGBA", (30, 20), (9, 9, 9, 99)), (30, 20)),
    "deep.png": (Image.fromarray(np.full((20, 30), 40000, np.uint16)), (30, 20)),
    "pixel.png": (Image.new("RGB", (1, 1)), (1, 1)),
    "wide.png": (Image.new("RGB", (20000, 20)), (20000, 20)),
}


@pytest.mark.parametrize("name", IMAGES)
def test_unusual_image_works(name, detect, tmp_path):
    image, size = IMAGES[name]
    path = saved(image, tmp_path / name)
    assert detect(path, "--threshold", "0", "--max-boxes", "5") == (0, "")
    record = json.loads((tmp_path / "out" / f"{path.stem}.json").read_text())
    assert (record["width"], record["height"]) == size
    assert (np.array(record["boxes"]).reshape(-1, 4)[:, 2:] <= size).all()


def test_exif_rotation_turns_the_frame(detect, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    path = saved(Image.new("RGB", (60, 40)), tmp_path / "turned.jpg", exif=exif)
    assert detect(path) == (0, "")
    record = json.loads((tmp_path / "out/turned.json").read_text())
    assert (record["width"], record["height"]) == (40, 60)


def test_folder_with_broken_images_among_good_ones(detect, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.png", "z.png"):
        saved(Image.new("RGB", (30, 20)), folder / name)
    bad = [broken("empty", folder), broken("truncated", folder)]
    code, message = detect(folder)
    assert code == 2
    assert "error: 2 of 4 images could not be used:" in message
    assert message.count("error:") == 1
    assert "Traceback" not in message
    assert all(str(path) in message.split("error:")[1] for path in bad)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a.jpg",
        "a.json",
        "detections.json",
        "z.jpg",
        "z.json",
    ]


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n{} loop\n"


def test_files_of_other_formats_do_not_stop_the_others(detect, tmp_path):
    """PostScript would be run, for ever, by Ghostscript; BLP and damaged AVIF raise what is not
    an OSError."""
    folder = tmp_path / "in"
    folder.mkdir()
    saved(Image.new("RGB", (30, 20)), folder / "good.png")
    (folder / "postscript.jpg").write_bytes(POSTSCRIPT)
    (folder / "blp.jpg").write_bytes(b"BLP2" + bytes(range(200)))
    (folder / "heic.jpg").write_bytes(b"\0\0\0 ftypavif\0\0\0\0avifmif1" + bytes(60))
    code, message = detect(folder)
    assert code == 2
    assert "error: 3 of 4 images could not be used:" in message
    assert "Traceback" not in message
    for name in ("postscript", "blp", "heic"):
        assert f"{folder / name}.jpg: " in message
    assert (tmp_path / "out/good.json").is_file()


@pytest.mark.slow
def test_linked_folders_are_searched_too(detect, tmp_path):
    for name in ("in/a.png", "elsewhere/b.png", "elsewhere/deep/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        saved(Image.new("RGB", (30, 20)), tmp_path / name)
    (tmp_path / "in/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    assert detect(tmp_path / "in")[0] == 0
    assert {path.name for path in (tmp_path / "out").glob("*.json")} == {
        "a.json",
        "b.json",
        "c.json",
        "detections.json",
    }


def test_only_broken_images_write_nothing(detect, tmp_path):
    code, message = detect(broken("empty", tmp_path), broken("text", tmp_path))
    assert code == 2
    assert "2 of 2 images" in message
    assert not (tmp_path / "out").exists()


def test_folder_without_images(refused, tmp_path):
    (tmp_path / "in").mkdir()
    assert str(tmp_path / "in") in refused(tmp_path / "in")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--categories", "mug, car, mug"], "mug"),
        (["--attributes", "red,, blue"], "empty"),
        (["--attributes", "red, " + "x" * 300], "300 characters"),
        (["--categories", "", "--attributes", ""], "name at least one word"),
        (["--categories", '"mug, car'], "quotes"),
        (["--categories", "no_such_words.txt"], "no_such_words.txt: no such file"),
    ],
)
def test_bad_words(options, words, refused, good):
    assert words in refused(good, *options)


def test_prompts_of_other_tools_are_noted(detect, good, caplog):
    assert detect(good, "--categories", "mug . chair .", "--attributes", "")[0] == 0
    assert (
        "'mug . chair .' is taken as one word; for several words, separate them by" in caplog.text
    )


def test_words_with_commas_quotes_and_unicode_work(detect, good, tmp_path):
    assert detect(
        good, "--categories", '"red, white and blue flag", Gerät, 杯子', "--attributes", ""
    ) == (0, "")
    assert json.loads((tmp_path / "out/good.json").read_text())["categories"] == [
        "red, white and blue flag",
        "Gerät",
        "杯子",
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("[NaN, 0, 9, 9]", "finite"),
        ("[0, 0, Infinity, 9]", "finite"),
        ("[9, 0, 5, 9]", "inverted"),
        ("[5, 5, 5, 9]", "size"),
        ("[60, 0, 90, 9]", "outside"),
        ("[-9, -9, 0, 0]", "outside"),
        ("[0, 0, 9]", "4 numbers"),
        ('["a", 0, 9, 9]', "4 numbers"),
    ],
)
def test_bad_boxes_name_file_image_and_index(row, words, refused, good, tmp_path):
    file = tmp_path / "boxes.json"
    file.write_text(f'{{"good.png": [[0, 0, 9, 9], {row}]}}')
    message = refused(good, "--boxes", file)
    assert str(file) in message
    assert "good.png" in message
    assert "box 1 " in message
    assert words in message


def test_boxes_as_fractions_are_refused(refused, good, tmp_path):
    file = tmp_path / "boxes.json"
    file.write_text('{"good.png": [[0.25, 0.25, 0.75, 0.5]]}')
    message = refused(good, "--boxes", file)
    assert message.startswith(f"error: {file}: all boxes lie within 0..1, as fractions of the")


def test_image_with_bad_boxes_does_not_stop_the_others(detect, good, tmp_path):
    other = shutil.copy(good, tmp_path / "other.png")
    (tmp_path / "boxes.json").write_text(
        '{"good.png": [[9, 0, 5, 9]], "other.png": [[0, 0, 9, 9]]}'
    )
    code, message = detect(good, other, "--boxes", tmp_path / "boxes.json")
    assert code == 2
    assert "1 of 2 images" in message
    assert json.loads((tmp_path / "out/detections.json").read_text())[0]["file_name"] == "other.png"


@pytest.mark.parametrize(
    "content",
    ["", "{", "3", '[{"bbox": 3}]', '{"annotations": [{"image_id": 1, "bbox": [0, 0, 1, 1]}]}'],
)
def test_boxes_file_of_another_kind(content, refused, good, tmp_path):
    file = tmp_path / "boxes.json"
    file.write_text(content)
    assert str(file) in refused(good, "--boxes", file)


def test_missing_boxes_file(refused, good, tmp_path):
    assert "no such file" in refused(good, "--boxes", tmp_path / "none.json")


def cut(folder: Path) -> None:
    path = folder / "clip.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def swap(folder: Path) -> None:
    shutil.copy(folder / "proposer.safetensors", folder / "clip.safetensors")


def no_config(folder: Path) -> None:
    (folder / "config.yaml").unlink()


def foreign(folder: Path) -> None:
    (folder / "config.yaml").write_text("model:\n  type: FasterRCNN\n")


def half_written_config(folder: Path) -> None:
    (folder / "config.yaml").write_text("format: ovarnet/1\nmodel: clip-attr\n")


def other_clip(folder: Path) -> None:
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("ovarnet-scenes", "RN50"))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut, "clip.safetensors is damaged or truncated"),
        (swap, "clip.safetensors holds another architecture"),
        (no_config, "no config.yaml"),
        (foreign, "not an ovarnet checkpoint"),
        (half_written_config, "config.yaml"),
        (other_clip, "another architecture"),
    ],
)
def test_bad_checkpoint(damage, words, refused, good, model, tmp_path):
    folder = shutil.copytree(model, tmp_path / "copy")
    damage(folder)
    with narrow_clips():
        message = refused(good, weights=folder)
    assert words in message
    assert str(folder) in message


def set_key(folder: Path, key: str, value) -> None:
    settings = OmegaConf.load(folder / "config.yaml")
    OmegaConf.update(settings, key, value, merge=False)
    OmegaConf.save(settings, folder / "config.yaml")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        (
            "calibration",
            [1, 2],
            "calibration is [1, 2], not two numbers for category and for attribute",
        ),
        ("calibration", {"category": [1]}, "calibration is {'category': [1]}, not two numbers"),
        ("calibration", {"catgory": [1, 2]}, "calibration is {'catgory': [1, 2]}, not two numbers"),
        (
            "calibration",
            {"category": ["a", "b"]},
            "calibration is {'category': ['a', 'b']}, not two numbers",
        ),
        ("clip", "x", "clip is 'x', not a section"),
        ("clip.name", 5, "clip.name is 5, not the name of a CLIP"),
        ("clip.name", None, "clip.name is missing"),
        ("proposer.kind", ["scenes"], "proposer.kind is ['scenes'], not scenes or resnet50"),
        ("stored_in", "x", "stored_in is 'x', not a file for each part"),
        ("stored_in", {"clip": 5}, "stored_in is {'clip': 5}, not a file for each part"),
        ("prompts", None, "prompts is missing"),
        (
            "prompts",
            {"vectors": [1, 2], "parent_type": True},
            "prompts is {'vectors': [1, 2], 'parent_type': True}, not three numbers",
        ),
        (
            "prompts",
            {"category": ["a {}."]},
            "prompts is {'category': ['a {}.']}, not three numbers of `vectors`",
        ),
        ("probe", {"category": ["mug"]}, "probe is {'category': ['mug']}, not lists of words"),
    ],
)
def test_damaged_config_names_the_key(key, value, words, refused, good, model, tmp_path):
    folder = shutil.copytree(model, tmp_path / "copy")
    set_key(folder, key, value)
    message = refused(good, weights=folder)
    assert message.startswith(f"error: {folder / 'config.yaml'}: {words}")
    assert "it was not written by ovarnet" in message


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("backbone", None, "backbone.name is missing"),
        ("design", 5, "design is 5, not a section"),
        ("design.head", ["clip"], "design: "),
        ("design.chanels", 5, "design: unknown key 'chanels'; did you mean 'channels'?"),
    ],
)
def test_damaged_config_of_an_ovarnet(key, value, words, refused, good, tmp_path):
    folder = shutil.copytree(SHIPPED / "scenes", tmp_path / "scenes")
    set_key(folder, key, value)
    assert refused(good, weights=folder).startswith(f"error: {folder / 'config.yaml'}: {words}")


def test_shipped_folder_without_the_one_that_it_shares_with(refused, good, tmp_path):
    folder = shutil.copytree(SHIPPED / "scenes", tmp_path / "scenes")
    assert refused(good, weights=folder) == (
        f"error: {tmp_path / 'scenes-clip-attr/clip.safetensors'}, where checkpoint {folder} "
        "keeps its part text, is missing; "
        "copy the folder scenes-clip-attr too\n"
    )


def test_a_model_without_a_proposer_proposes_nothing(refused, good):
    message = refused(good, "--proposer", SHIPPED / "scenes")
    assert (
        message
        == f"error: {SHIPPED / 'scenes'} holds no proposer (its model is 'ovarnet'); give a "
        "proposer or a CLIP-Attr\n"
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x" * 5000, f"model '{'x' * 80}' is neither"),
        ("scens", "'scens'"),
        ("clip-attr:ViT-B-16", "ViT-B-16 names no weights"),
        ("clip-attr:NoSuchNet/openai", "NoSuchNet"),
        ("clip-attr:RN50/no_such_file.pt", "no_such_file.pt"),
        ("clip-attr:RN50/no_such_tag", "no_such_tag"),
    ],
)
def test_unknown_model(name, words, refused, good):
    assert words in refused(good, weights=name)


@pytest.mark.slow
def test_pickled_weights_of_someone_else(refused, good, tmp_path):
    torch.save({"anything": torch.zeros(1)}, tmp_path / "theirs.pt")
    assert "theirs.pt" in refused(good, weights=f"clip-attr:RN50/{tmp_path / 'theirs.pt'}")


def test_unknown_device_and_output_that_is_a_file(detect, good, tmp_path, model, capsys):
    assert cli.main(["detect", str(good), "--model", str(model), "--device", "warp"]) == 2
    assert "device 'warp'" in capsys.readouterr().err
    assert cli.main(["detect", str(good), "--model", str(model), "--device", "meta"]) == 2
    assert "device 'meta' cannot be used here" in capsys.readouterr().err
    (tmp_path / "out").write_text("mine")
    assert detect(good) == (2, f"error: {tmp_path / 'out'}: is a file; --output needs a folder\n")
    assert (tmp_path / "out").read_text() == "mine"
