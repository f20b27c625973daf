"""The commands of docs/full_size.md, in their order, on a few images in the files of the real
releases, with random weights.

Only sizes differ from the real run: the settings given as KEY=VALUE, the side of the proposer's
images, and the width of the CLIPs, which tests/training/test_ovarnet_full_size.py and
tests/modeling/clip/test_clip.py build as they are.
"""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from narrow_clips import narrow_clips
from PIL import Image
from safetensors.torch import load_file, save_file

from ovarnet.checkpoint import load_checkpoint
from ovarnet.cli.main import main

CONFIGS = Path(__file__).parents[2] / "configs" / "coco_vaw"
LSA_CONFIGS = CONFIGS.parent / "lsa"
LSA_FILES = {"vg": "VG_100K/{}.jpg", "flickr": "{}.jpg", "coco": "{:012d}.jpg", "oi": "{}.jpg"}
CATEGORIES = [
    {"id": 1, "name": "person", "supercategory": "person"},
    {"id": 3, "name": "car", "supercategory": "vehicle"},
    {"id": 18, "name": "dog", "supercategory": "animal"},
]  # dog is novel
ATTRIBUTES = {"orange": 0, "red": 1, "wet": 2}  # orange is novel
SHORT = [
    "optimisation.iterations=1",
    "optimisation.batch_size=2",
    "optimisation.warmup=1",
    "optimisation.workers=0",
]
SMALL = [
    "design.short_side=[96,96]",
    "design.long_side=128",
    "design.train_short_sides=[]",
    "roi_batch_size=8",
    "rpn_batch_size=16",
    "distillation.proposals=2",
]


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_pictures(folder, names):
    folder.mkdir(parents=True)
    for number, name in enumerate(names):
        pixels = np.random.default_rng([number, len(str(folder))]).integers(
            0, 255, (64, 96, 3), dtype=np.uint8
        )
        Image.fromarray(pixels).save(folder / name)


def write_coco(root):
    for split in ("train", "val"):
        ids = range(1, 5)
        images = [{"id": n, "file_name": f"{n:012d}.jpg", "height": 64, "width": 96} for n in ids]
        boxes = [
            {
                "id": 10 * n + k,
                "image_id": n,
                "category_id": category["id"],
                "bbox": [8 + 20 * k, 10, 30, 40],
                "area": 1200,
                "iscrowd": 0,
                "segmentation": [[1, 2, 3.5, 4]],
            }
            for n in ids
            for k, category in enumerate(CATEGORIES)
        ]
        captions = [
            {"id": 10 * n + k, "image_id": n, "caption": text}
            for n in ids
            for k, text in enumerate(
                ("A wet dog next to a red car.", "Somewhere.", "A person with an orange dog.")
            )
        ]
        write_json(
            root / "annotations" / f"instances_{split}2017.json",
            {
                "info": {},
                "licenses": [],
                "images": images,
                "annotations": boxes,
                "categories": CATEGORIES,
            },
        )
        write_json(
            root / "annotations" / f"captions_{split}2017.json",
            {"info": {}, "licenses": [], "images": images, "annotations": captions},
        )
        write_pictures(root / f"{split}2017", [image["file_name"] for image in images])


def write_vaw(root):
    write_json(root / "attribute_index.json", ATTRIBUTES)
    write_json(root / "attribute_types.json", {"color": ["red", "orange"], "state": ["wet"]})
    write_json(root / "attribute_parent_types.json", {"color": ["color"], "state": ["state"]})
    write_json(root / "head_tail.json", {"head": ["red"], "medium": ["wet"], "tail": ["orange"]})
    for number, name in enumerate(("train_part1", "train_part2", "val", "test")):
        write_json(
            root / f"{name}.json",
            [
                {
                    "image_id": str(2 * number + k + 1),
                    "instance_id": f"{number}{k}",
                    "instance_bbox": [5.0, 5.0, 60.0, 50.0],
                    "instance_polygon": None,
                    "object_name": "cup",
                    "positive_attributes": [["red"], ["wet", "orange"]][k],
                    "negative_attributes": [["wet"], ["red"]][k],
                }
                for k in range(2)
            ],
        )
    write_pictures(root / "images" / "VG_100K", [f"{n}.jpg" for n in range(1, 9)])


def write_lsa(root):
    """Every source and every way to write a box; a box without instance_id, and one whose only
    phrase, wet, is novel."""
    things = [
        {
            "instance_id": "1",
            "object": "dog",
            "attributes": ["red", "wet"],
            "box": [5, 6, 65, 56],
            "ground": "box",
        },
        {
            "instance_id": "2",
            "object": "cup",
            "attributes": ["leaning on fence"],
            "box": [0.1, 0.2, 0.6, 0.9],
            "ground": "mousetrace",
        },
        {
            "instance_id": "3",
            "object": "sky",
            "attributes": ["wet"],
            "box": [-1, -1, -1, -1],
            "ground": "none",
        },
        {
            "object": "car",
            "attributes": ["red"],
            "box": [30, 10, 90, 60],
            "ground": "segmentationmask",
        },
    ]
    for number, split in enumerate(("train", "val", "test"), 1):
        write_json(
            root / f"{split}.json",
            [{"image_id": f"{source}_{number}", "objects": things} for source in LSA_FILES],
        )
    base = {"red": 0, "leaning on fence": 1}
    write_json(
        root / "common2common.json",
        {"common1": base, "common1_len": 2, "common2": {"wet": 2}, "common2_len": 1},
    )
    write_json(
        root / "common2rare.json",
        {"common": base, "common_len": 2, "rare": {"wet": 2}, "rare_len": 1},
    )
    for source, file in LSA_FILES.items():
        places = [root / "images" / source / file.format(number) for number in (1, 2, 3)]
        write_pictures(places[0].parent, [place.name for place in places])


@pytest.fixture
def world(tmp_path, monkeypatch, small_pictures):
    """Working directory with datasets/coco and datasets/vaw, as the configs expect them."""
    write_coco(tmp_path / "datasets" / "coco")
    write_vaw(tmp_path / "datasets" / "vaw")
    monkeypatch.chdir(tmp_path)
    with narrow_clips():
        yield tmp_path


def run(*arguments):
    assert main([str(argument) for argument in arguments]) == 0, arguments


def score_all_boxes_the_same(checkpoint):
    """Every box of a proposer is an object by 0.5: one that has learnt nothing may, by the last
    digits of a sum, reject them all."""
    file = checkpoint / "proposer.safetensors"
    state = load_file(file)
    last_layer = [name for name in state if "cls_score" in name]
    assert len(last_layer) == 2
    save_file(state | {name: torch.zeros_like(state[name]) for name in last_layer}, file)


def config(name):
    return CONFIGS / f"{name}.yaml"


def scores(folder, measure):
    """group -> value, of a measure without its protocol's variants."""
    rows = json.loads((folder / "metrics.json").read_text())["rows"]
    return {row["group"]: row["value"] for row in rows if row["measure"] == measure}


@pytest.mark.slow
def test_every_command_in_its_order(world, capsys):
    runs, train = Path("runs/coco_vaw"), partial(run, "train")
    captions = [
        "--captions",
        "datasets/coco/annotations/captions_train2017.json",
        "--images",
        "datasets/coco/train2017",
    ]
    propose = partial(run, "propose", "--proposer", runs / "proposer/checkpoint", "--limit", 6)
    for name, root in (("coco-ovd", "coco"), ("vaw", "vaw"), ("captions", "coco")):
        run("prepare", name, "--root", f"datasets/{root}")
    train(config("proposer"), "imagenet_weights=false", *SHORT)
    score_all_boxes_the_same(runs / "proposer/checkpoint")
    train(config("clip_attr_rn50"), "clip.pretrained=null", *SHORT)
    propose(*captions, "--output", runs / "proposals_captions")
    run(
        "pseudo-label",
        "--model",
        runs / "clip_attr_rn50/checkpoint",
        *captions,
        "--proposals",
        runs / "proposals_captions",
        "--most",
        6,
        "--output",
        runs / "pseudo_labels_rn50",
    )
    train(config("clip_attr_captions_rn50"), *SHORT, "base_batch_size=2")
    propose("--images", "datasets/coco/train2017", "--output", runs / "proposals_coco")
    propose("--images", "datasets/vaw/images", "--output", runs / "proposals_vaw")
    run("distill", config("ovarnet_rn50"), *SHORT, *SMALL)
    capsys.readouterr()
    run("train", config("ovarnet_rn50"), "--eval-only")

    assert capsys.readouterr().out.count("written to") == 2
    coco, vaw = (runs / "ovarnet_rn50" / f"evaluation_{name}" for name in ("coco-ovd", "vaw"))
    assert all(0 <= scores(coco, "COCO-OVD AP50")[group] <= 1 for group in ("base", "novel", "all"))
    assert all(0 <= scores(vaw, "attribute mAP")[group] <= 1 for group in ("base", "all"))
    words = load_checkpoint(runs / "ovarnet_rn50" / "checkpoint").vocabulary
    assert [word.name for word in (*words.categories, *words.attributes) if not word.seen] == [
        "dog",
        "orange",
    ]
    assert not list((runs / "ovarnet_rn50").glob("proposals-*")), "the stored proposals are used"


@pytest.mark.slow
def test_lsa_in_its_order(world):
    write_lsa(world / "datasets" / "lsa")
    runs = Path("runs/lsa")
    run("prepare", "lsa", "--root", "datasets/lsa")
    run("train", config("proposer"), "imagenet_weights=false", *SHORT)
    run("train", LSA_CONFIGS / "clip_attr_vit_b16.yaml", "clip.pretrained=null", *SHORT)
    run("distill", LSA_CONFIGS / "ovarnet_rn50.yaml", "backbone.pretrained=null", *SHORT, *SMALL)
    run(
        "evaluate",
        "--model",
        runs / "ovarnet_rn50/checkpoint",
        "--dataset",
        "lsa",
        "--root",
        "datasets/lsa",
        "--split",
        "test",
        "--settings",
        "box-given",
        "--output",
        "evaluation",
    )

    history = json.loads((runs / "ovarnet_rn50/history.json").read_text())
    losses = [history[name][0][1] for name in ("rpn_boxes", "boxes")]
    assert min(losses) > 0, "the boxes of LSA supervise, though they have no category"
    words = load_checkpoint(runs / "ovarnet_rn50/checkpoint").vocabulary
    assert words.category_names == []
    assert [(word.name, word.seen) for word in words.attributes] == [
        ("red", True),
        ("leaning on fence", True),
        ("wet", False),
    ]
    assert all(
        0 < scores(Path("evaluation"), "attribute mAP")[group] <= 1
        for group in ("base", "novel", "all")
    )
