from dataset_files import prepare, write_image

from ovarnet.data.datasets import open_dataset

OBJECT = (
    "<object><name>{}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>20</xmax><ymax>30</ymax>"
    "</bndbox></object>"
)


def written(path, *names):
    path.parent.mkdir(parents=True, exist_ok=True)
    objects = "".join(map(OBJECT.format, names))
    path.write_text(f"<annotation>{objects}</annotation>")
    write_image(path.with_suffix(".png"), (len(names), sum(map(ord, path.stem)), 0))


def test_words_are_written_and_the_dataset_opens(tmp_path, capsys):
    written(tmp_path / "train/a.xml", "dog")
    written(tmp_path / "train/empty.xml")
    written(tmp_path / "val/b.xml", "dog", "cat")
    code, out = prepare(capsys, "voc", "--root", tmp_path)
    assert code == 0
    assert f"{tmp_path}: train: 1 images have no annotation: evaluation counts every" in out
    assert "2 categories, 1 of them base words (seen in training)" in out
    vocabulary, (image,) = open_dataset("voc", tmp_path, "val")
    assert vocabulary.category_names == ["dog", "cat"]
    assert vocabulary.category_seen.tolist() == [True, False]
    assert image.categories.tolist() == [0, 1]
    assert len(open_dataset("voc", tmp_path, "train")[1]) == 1


def test_nothing_is_there(tmp_path, capsys):
    code, out = prepare(capsys, "voc", "--root", tmp_path)
    assert code == 2
    assert f"missing  {tmp_path}: neither ImageSets/Main/SPLIT.txt nor a folder SPLIT" in out


def test_problems_are_listed(tmp_path, capsys):
    written(tmp_path / "train/a.xml", "dog")
    (tmp_path / "train/b.xml").write_text("<annotation>")
    code, out = prepare(capsys, "voc", "--root", tmp_path)
    assert code == 2
    assert f"problem  {tmp_path}: train: 1 x annotation file is not valid XML" in out
