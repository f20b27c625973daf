import pytest
from dataset_files import write_image

from ovarnet.data.image_sizes import ImageSizes
from ovarnet.data.preparation.findings import Findings
from ovarnet.data.preparation.pictures import check_decoding, check_pictures, identical, unnamed


@pytest.fixture
def findings(tmp_path):
    return Findings(tmp_path, lambda line: None)


def images(tmp_path, **colors):
    return {
        name: str(write_image(tmp_path / f"{name}.png", color)) for name, color in colors.items()
    }


def test_a_sample_is_decoded(tmp_path, findings):
    files = [str(write_image(tmp_path / f"{number}.png")) for number in range(10)]
    check_decoding(files, 4, findings)
    assert findings.kinds("ok") == ["4 of 10 images opened, all decode"]
    check_decoding(files, 0, findings)
    assert len(findings.lines) == 1
    (tmp_path / "0.png").write_bytes(b"x")
    check_decoding(files, 4, findings)
    assert findings.kinds("problem") == ["1 of 4 images opened cannot be decoded"]
    assert findings.cases[0].endswith("convert it to JPEG or PNG")


def test_identical_files_are_found_by_their_bytes(tmp_path):
    files = images(tmp_path, a=(1, 0, 0), b=(2, 0, 0), c=(1, 0, 0))
    sizes = ImageSizes(tmp_path)
    assert identical(files.values(), sizes) == [[files["a"], files["c"]]]
    (tmp_path / "c.png").write_bytes(b"x")
    assert identical(files.values(), sizes) == []


def test_identical_images_in_two_splits_are_a_problem(tmp_path, findings):
    files = images(tmp_path, a=(1, 0, 0), b=(2, 0, 0), c=(1, 0, 0))
    a, b, c = files.values()
    check_pictures([a, b, c], ImageSizes(tmp_path), 0, findings, [[a, c], [b]])
    assert findings.complete
    assert findings.kinds("note") == [f"1 pictures are there more than once, e.g. {a} = {c}"]
    check_pictures([a, b, c], ImageSizes(tmp_path), 0, findings, [[a, b], [b, c]])
    assert findings.kinds("problem") == ["2 pictures lie in more than one split"]


def test_files_that_no_record_names(tmp_path, findings):
    files = images(tmp_path / "in", a=(1, 0, 0), b=(2, 0, 0))
    unnamed(tmp_path / "in", files.values(), findings)
    unnamed(tmp_path / "none", [], findings)
    assert not findings.lines
    unnamed(tmp_path / "in", [files["a"]], findings)
    assert findings.kinds("note") == [
        f"{tmp_path / 'in'}: 1 files that no record names; they are not used"
    ]
