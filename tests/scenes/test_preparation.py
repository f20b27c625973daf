import json

from PIL import Image

from ovarnet.cli.main import main


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def test_scenes_training_files_must_hold_nothing_novel(tmp_path, capsys):
    write_json(
        tmp_path / "vocabulary.json",
        {
            "categories": [{"name": "dog", "seen": True}, "cat"],
            "attributes": [{"name": "red", "seen": True}],
        },
    )
    categories = [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}]
    images = [{"id": 1, "file_name": "000000.jpg", "height": 40, "width": 60}]
    (tmp_path / "images/train").mkdir(parents=True)
    Image.new("RGB", (60, 40)).save(tmp_path / "images/train/000000.jpg")
    write_json(
        tmp_path / "annotations/attributes_train.json",
        [
            {
                "image_id": "1",
                "instance_id": "1",
                "instance_bbox": [1, 2, 10, 20],
                "object_name": "dog",
                "positive_attributes": ["red"],
                "negative_attributes": [],
            }
        ],
    )
    for category, kind, line in (
        (1, "ok", "the training files hold nothing novel"),
        (2, "problem", "1 training images hold something novel"),
    ):
        box = {"id": 1, "image_id": 1, "category_id": category, "bbox": [1, 2, 10, 20]}
        write_json(
            tmp_path / "annotations/instances_train.json",
            {"images": images, "categories": categories, "annotations": [box]},
        )
        main(["prepare", "scenes", "--root", str(tmp_path), "--splits", "train"])
        assert capsys.readouterr().out.count(f"{kind:9}{line}") == 1
