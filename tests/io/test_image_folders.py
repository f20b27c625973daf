import logging
import os

import pytest

from ovarnet.errors import InputError
from ovarnet.io.image_folders import list_images


def make(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def listed(root):
    return [path.relative_to(root).as_posix() for path in list_images([root])]


def test_folders_are_replaced_by_their_images_in_order_each_once(tmp_path):
    make(tmp_path, "c.JPG", "b/a.png", "a.txt", ".hidden.jpg", "none/readme.md")
    assert listed(tmp_path) == ["b/a.png", "c.JPG"]
    given = [tmp_path / "a.txt", tmp_path / "missing.jpg", tmp_path / "c.JPG"]
    assert list_images([*given, tmp_path]) == [*given, tmp_path / "b/a.png"]
    with pytest.raises(InputError, match="no image in this folder"):
        list_images([tmp_path / "none"])


def test_links_to_folders_and_files_are_followed(tmp_path):
    make(tmp_path, "in/a.jpg", "elsewhere/b.jpg", "elsewhere/deep/c.jpg", "d.jpg")
    (tmp_path / "in/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/d.jpg").symlink_to(tmp_path / "d.jpg")
    (tmp_path / "in/broken.jpg").symlink_to(tmp_path / "gone.jpg")
    assert listed(tmp_path / "in") == ["a.jpg", "d.jpg", "link/b.jpg", "link/deep/c.jpg"]


def test_circular_links_end_and_a_folder_keeps_its_own_path(tmp_path):
    make(tmp_path, "in/z/a.jpg", "other/b.jpg")
    (tmp_path / "in/again").symlink_to(tmp_path / "in/z")
    (tmp_path / "in/z/up").symlink_to("..")
    (tmp_path / "in/z/self").symlink_to("self")
    (tmp_path / "in/out").symlink_to(tmp_path / "other")
    (tmp_path / "other/back").symlink_to(tmp_path / "in")
    (tmp_path / "in/whole").symlink_to(tmp_path)
    assert listed(tmp_path / "in") == ["out/b.jpg", "z/a.jpg"]


def test_a_folder_given_as_a_link_is_searched(tmp_path):
    make(tmp_path, "real/a.jpg")
    (tmp_path / "link").symlink_to("real")
    assert listed(tmp_path / "link") == ["a.jpg"]


def test_a_folder_that_cannot_be_searched_is_named(tmp_path, monkeypatch, caplog):
    make(tmp_path, "a.jpg", "closed/b.jpg")
    scandir = os.scandir

    def refuse(folder):
        if os.path.basename(folder) == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    with caplog.at_level(logging.WARNING):
        assert listed(tmp_path) == ["a.jpg"]
    assert f"{tmp_path / 'closed'}: cannot be searched (Permission denied); left out" in caplog.text
