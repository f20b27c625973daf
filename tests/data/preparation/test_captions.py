import io
import tarfile

from dataset_files import prepare, write_image, write_json


def test_captions_of_coco_and_of_tables(tmp_path, capsys):
    write_json(
        tmp_path / "annotations/captions_val2017.json",
        {
            "images": [{"id": 1, "file_name": "1.jpg"}, {"id": 2, "file_name": "2.jpg"}],
            "annotations": [{"id": n, "image_id": 1, "caption": "a dog"} for n in (1, 2)],
        },
    )
    write_image(tmp_path / "val2017/1.jpg")
    (tmp_path / "cc3m.tsv").write_text("a red mug\thttp://x.org/1.jpg\nno tab\n")
    code, out = prepare(capsys, "captions", "--root", tmp_path, "--splits", "val")
    assert code == 2
    assert "2 captions of 1 images, 2.00 each" in out
    assert "1 x image without a caption" in out
    assert "cc3m.tsv: 1 captions of 1 images" in out
    assert "1 x no TAB" in out


def test_files_beside_the_captions_are_not_taken_for_some(tmp_path, capsys):
    (tmp_path / "cc3m.TSV").write_text("a red mug\thttp://x.org/1.jpg\n")
    (tmp_path / "cc3m.tsv.bak").write_text("x")
    (tmp_path / "flickr.txt").write_text("1.jpg\ta dog\n2.jpg a cat\n")
    (tmp_path / "README.txt").write_text("These are captions.\n")
    (tmp_path / "LICENSE.txt.gz").write_bytes(b"x")
    code, out = prepare(capsys, "captions", "--root", tmp_path)
    assert code == 2
    assert "README.txt: no TAB in its first line, so no table of captions; not used" in out
    assert ".bak" not in out
    assert "cc3m.TSV: 1 captions of 1 images" in out
    assert "flickr.txt: 1 x no TAB" in out
    for name in ("flickr.txt", "LICENSE.txt.gz"):
        (tmp_path / name).unlink()
    assert prepare(capsys, "captions", "--root", tmp_path)[0] == 0


def test_images_inside_shards_are_opened(tmp_path, capsys):
    write_image(tmp_path / "a.png")
    for name, content in (
        ("00000.tar", (tmp_path / "a.png").read_bytes()),
        ("00001.tar", b"no picture"),
    ):
        with tarfile.open(tmp_path / name, "w") as shard:
            for member, data in (("1.png", content), ("1.txt", b"a red mug")):
                info = tarfile.TarInfo(member)
                info.size = len(data)
                shard.addfile(info, io.BytesIO(data))
    code, out = prepare(capsys, "captions", "--root", tmp_path)
    assert code == 2
    assert "00000.tar: 1 captions of 1 images" in out
    assert "1 of 1 images opened, all decode" in out
    assert "problem  1 of 1 images opened cannot be decoded" in out
    assert "00001.tar@" in out
