from dataset_files import prepare, write_image

from ovarnet.data.datasets import open_dataset


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_words_are_written_and_the_dataset_opens(tmp_path, capsys):
    written(tmp_path / "data.yaml", "names: [shirt, dress]\ntrain: images/train\nval: images/val\n")
    for split, category in (("train", 0), ("val", 1)):
        write_image(tmp_path / f"images/{split}/a.png", (category, 0, 0))
        written(tmp_path / f"labels/{split}/a.txt", f"{category} 0.5 0.5 0.5 0.5\n")
    code, out = prepare(capsys, "yolo", "--root", tmp_path)
    assert code == 0
    assert f"ok       {tmp_path}: train: usable are 1 images and 1 boxes, 0 with attributes" in out
    vocabulary, (image,) = open_dataset("yolo", tmp_path, "val")
    assert vocabulary.category_names == ["shirt", "dress"]
    assert vocabulary.category_seen.tolist() == [True, False]
    assert image.boxes.tolist() == [[15, 10, 45, 30]]


def test_data_yaml_is_needed_and_names_images(tmp_path, capsys):
    code, out = prepare(capsys, "yolo", "--root", tmp_path)
    assert code == 2
    assert f"problem  {tmp_path / 'data.yaml'}: no such file" in out
    written(tmp_path / "data.yaml", "names: [shirt]\n")
    code, out = prepare(capsys, "yolo", "--root", tmp_path)
    assert code == 2
    assert f"missing  {tmp_path}: data.yaml names no images for any of train, val, test" in out
