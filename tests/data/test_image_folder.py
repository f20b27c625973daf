import pytest
from PIL import Image

from ovarnet.data.image_folder import ImageFolder, ImageRecord, checked_size
from ovarnet.errors import InputError
from ovarnet.io.images import read_image_size
from ovarnet.io.skipped import Skipped


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_images_are_found_by_the_name_of_their_record(tmp_path):
    touch(tmp_path, "val2017/a.jpg", "val2017/in/b.jpg")
    folder = ImageFolder(tmp_path / "val2017")
    assert folder.find("a.jpg") == str(tmp_path / "val2017/a.jpg")
    assert folder.find("val2017/a.jpg") == str(tmp_path / "val2017/a.jpg")
    assert folder.find("in\\b.jpg") == str(tmp_path / "val2017/in/b.jpg")
    for name in ("b.jpg", "in", "x/y.jpg", "a" * 300):
        assert folder.find(name) is None


def test_images_are_found_by_their_stem_here_or_one_level_below(tmp_path):
    touch(tmp_path, "1.png", "VG_100K/1.jpg", "VG_100K_2/2.jpg", "VG_100K/3.txt", "a/b/4.jpg")
    folder = ImageFolder(tmp_path)
    assert folder.find_stem("1") == str(tmp_path / "1.png")
    assert folder.find_stem("2") == str(tmp_path / "VG_100K_2/2.jpg")
    assert folder.find_stem("3") is None
    assert folder.find_stem("4") is None


def test_without_a_folder_names_are_taken_as_they_are():
    assert ImageFolder(None).find("x/a.jpg") == "x/a.jpg"
    assert ImageFolder(None).find_stem("7") == "7.jpg"


def test_folder_that_is_not_there_and_a_link_to_itself(tmp_path):
    with pytest.raises(InputError, match="none: no such image folder"):
        ImageFolder(tmp_path / "none")
    touch(tmp_path, "a.jpg")
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    assert ImageFolder(tmp_path).find("self.jpg") is None
    assert ImageFolder(tmp_path).find("a.jpg") is not None


def test_size_of_the_file_and_of_the_record(tmp_path):
    file = str(tmp_path / "a.png")
    Image.new("RGB", (60, 40)).save(file)
    skipped = Skipped()
    assert checked_size(ImageRecord(file, "1", 40, 60), read_image_size, skipped)
    assert not skipped
    assert not checked_size(ImageRecord(file, "1", 60, 40), read_image_size, skipped)
    assert skipped.items["image of another size than its record says"] == [
        f"{file}: 60 x 40 (width and height changed places, perhaps by its EXIF rotation), the "
        "record says 40 x 60"
    ]
    (tmp_path / "a.png").write_bytes(b"text")
    assert not checked_size(ImageRecord(file, "1", 40, 60), read_image_size, skipped)
    assert skipped.counts["image unreadable"] == 1
