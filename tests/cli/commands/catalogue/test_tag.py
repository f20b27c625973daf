"""`ovarnet catalogue tag`: a row per product photo, or per detected object."""

import csv

from shop_files import product_photo

from ovarnet.cli.main import main


def tag(folder, *words):
    arguments = ["--categories", "mug, chair", "--attributes", "red, striped", *words]
    return main(["catalogue", "tag", str(folder), *arguments])


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_a_row_per_photo(tmp_path, fake_model):
    for n, colour in enumerate(["red", "blue"]):
        product_photo(colour, "plate").save(tmp_path / f"{n}.png")
    assert tag(tmp_path, "--attribute-threshold", "0", "--output", str(tmp_path / "out")) == 0
    rows = read(tmp_path / "out/tags.csv")
    assert [row["image"] for row in rows] == [str(tmp_path / "0.png"), str(tmp_path / "1.png")]
    assert [rows[0][side] for side in ("x1", "y1", "x2", "y2")] == ["10", "18", "45", "63"]
    assert rows[0]["category"] in ("mug", "chair")
    assert {part.rpartition(" ")[0] for part in rows[0]["attributes"].split("; ")} == {
        "red",
        "striped",
    }


def test_a_photo_that_cannot_be_read_is_reported_and_the_rest_goes_on(tmp_path, fake_model, capsys):
    product_photo("red", "plate").save(tmp_path / "0.png")
    (tmp_path / "1.png").write_bytes(b"no image")
    assert tag(tmp_path, "--output", str(tmp_path / "out")) == 2
    assert "1 of 2 images could not be used" in capsys.readouterr().err
    assert len(read(tmp_path / "out/tags.csv")) == 1


def test_regions_are_detected(tmp_path, fake_model):
    product_photo("red", "plate").save(tmp_path / "0.png")
    assert tag(tmp_path, "--regions", "--output", str(tmp_path / "out")) == 0
    assert read(tmp_path / "out/tags.csv")[0]["image"] == str(tmp_path / "0.png")
