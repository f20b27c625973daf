"""Small files of the exact form of the datasets, and the `prepare` command over them."""

import json

from PIL import Image

from ovarnet.cli.main import main


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def write_image(path, color=(0, 0, 0), size=(60, 40)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)
    return path


def prepare(capsys, *arguments):
    """Exit code and output of ``ovarnet prepare``."""
    code = main(["prepare", *map(str, arguments)])
    return code, capsys.readouterr().out


def snapshot(root):
    """The bytes of every file under a folder."""
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def coco_box(number, image, category, **more):
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": [1, 2, 10, 20],
        "area": 200,
        "iscrowd": 0,
        "segmentation": [[1, 2, 3.5, 4]],
        **more,
    }


def vaw_record(instance, image, positive, negative, name="mug"):
    return {
        "image_id": str(image),
        "instance_id": str(instance),
        "instance_bbox": [0.0, 0.0, 5.0, 5.0],
        "instance_polygon": [[[0, 0], [5, 0], [5, 5]]],
        "object_name": name,
        "positive_attributes": positive,
        "negative_attributes": negative,
    }


def custom_file(*annotations, **more):
    """One image "a.jpg", one category "shirt", a box of the whole image per annotation."""
    return {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": [{"id": 1, "name": "shirt"}],
        "annotations": [
            {"id": n, "image_id": 1, "category_id": 1, "bbox": [0, 0, 60, 40], **record}
            for n, record in enumerate(annotations)
        ],
        **more,
    }
