"""Real COCO photos, where they are at hand (OVARNET_TEST_PHOTOS): prepare, one step, detect."""

import json
import os
from pathlib import Path

import pytest

from ovarnet.cli.main import main

COCO128 = (
    Path(os.environ.get("OVARNET_TEST_PHOTOS", Path(__file__).parents[3] / "shared" / "data"))
    / "coco128"
)
PROPOSER = Path(__file__).parents[2] / "configs" / "scenes" / "proposer.yaml"


@pytest.mark.slow
@pytest.mark.skipif(not COCO128.is_dir(), reason="no coco128 photos")
def test_prepare_one_step_and_detect(tmp_path, capsys):
    coco, run = tmp_path / "coco", tmp_path / "run"
    (coco / "annotations").mkdir(parents=True)
    (coco / "annotations" / "instances_train2017.json").write_bytes(
        (COCO128 / "instances.json").read_bytes()
    )
    (coco / "train2017").symlink_to(COCO128 / "images")
    assert (
        main(["prepare", "coco-ovd", "--root", str(coco), "--splits", "train", "--sample", "4"])
        == 0
    )

    assert (
        main(
            [
                "train",
                str(PROPOSER),
                "detection.dataset=coco-ovd",
                f"detection.root={coco}",
                "clip.pretrained=null",
                f"output={run}",
                "optimisation.iterations=1",
                "optimisation.batch_size=4",
            ]
        )
        == 0
    )
    losses = json.loads((run / "history.json").read_text())
    first = [losses[name][0][1] for name in ("loss_objectness", "loss_classifier")]
    assert min(first) > 0, "the step has boxes"
    settings = (run / "checkpoint" / "config.yaml").read_text()
    assert "dataset: coco-ovd" in settings

    photo = sorted((COCO128 / "images").iterdir())[0]
    boxes = {photo.name: [[10, 20, 200, 180], [0, 0, 50, 60]]}
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    words = ["--categories", "person, car", "--attributes", "red"]
    for name, more in (
        (
            "free",
            [
                "--model",
                "scenes-clip-attr",
                "--proposer",
                str(run / "checkpoint"),
                "--threshold",
                "0",
            ],
        ),
        ("given", ["--boxes", str(tmp_path / "boxes.json")]),
    ):
        assert main(["detect", str(photo), *more, *words, "--output", str(tmp_path / name)]) == 0
    given = json.loads((tmp_path / "given" / f"{photo.stem}.json").read_text())
    assert given["boxes"] == boxes[photo.name]
    assert len(given["category_scores"][1]) == 2
    assert len(given["attribute_scores"][1]) == 1
    free = json.loads((tmp_path / "free" / f"{photo.stem}.json").read_text())
    assert len(free["boxes"]) > 0
    assert all(0 <= x1 < x2 <= free["width"] for x1, _, x2, _ in free["boxes"])
