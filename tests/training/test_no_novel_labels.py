"""Base and novel never mix: no stage's weights depend on a novel box or a novel label.

The files of the tiny world hold a box of the novel category key and the novel attribute gray in
every image. Each stage is run on them and on a copy without them, and writes the same bytes; so
neither losses nor frequency weights, calibrations, sampling or caches have seen one. There
are no other files than those of split train, so no stage is stopped early or chosen by others.
"""

import json
import shutil

import pytest
from accelerate import Accelerator
from clip_attr_runs import caption_settings, step_one_settings
from omegaconf import OmegaConf

from ovarnet.checkpoint import load_checkpoint
from ovarnet.config import resolve
from ovarnet.training import train


@pytest.fixture(scope="module")
def clean_root(tiny_world, tmp_path_factory):
    """The tiny world without novel boxes and labels."""
    root = tmp_path_factory.mktemp("clean") / "world"
    shutil.copytree(tiny_world.root, root)
    instances = json.loads((root / "annotations/instances_train.json").read_text())
    key = next(one["id"] for one in instances["categories"] if one["name"] == "key")
    boxes = instances["annotations"]
    instances["annotations"] = [one for one in boxes if one["category_id"] != key]
    assert len(instances["annotations"]) == 2 / 3 * len(boxes)
    (root / "annotations/instances_train.json").write_text(json.dumps(instances))

    records = json.loads((root / "annotations/attributes_train.json").read_text())
    records = [one for one in records if one["object_name"] != "key"]
    for record in records:
        assert "gray" in record["positive_attributes"]
        record["positive_attributes"].remove("gray")
    (root / "annotations/attributes_train.json").write_text(json.dumps(records))
    return root


@pytest.fixture
def stages(
    tiny_world,
    clean_root,
    start_files,
    step_one,
    pseudo_labels,
    settings,
    small_photos,
    tmp_path,
):
    """Called with a stage and "as it is" or "clean": its config."""

    def make(stage, world):
        source = {"root": str(tiny_world.root if world == "as it is" else clean_root)}
        output = tmp_path / world / stage
        sources = {"detection": source, "attributes": source}
        clip = {"name": "ovarnet-scenes", "pretrained": str(start_files.clip)}
        short = {"iterations": 1, "batch_size": 4}
        if stage == "clip_attr":
            more = {"lr_multipliers": {"bias": 1.0}, "loss": {"sampled_categories": 1}}
            return step_one_settings(tiny_world, start_files, output, **more, **sources)
        if stage == "clip_attr_captions":
            return caption_settings(tiny_world, step_one, pseudo_labels, output, **sources)
        if stage == "ovarnet":
            return settings(output=str(output), optimisation=short, **sources)
        given = {
            "zero_shot": {"clip": clip, "proposer": str(start_files.proposer), **sources},
            "concept_clip": {
                "clip": {"name": "ovarnet-photos"},
                "captions": str(tiny_world.captions),
                "images": str(tiny_world.images),
                "views": 1,
                "optimisation": {**short, "batch_size": 8},
                **sources,
            },
            "proposer": {"clip": clip, "detection": source, "optimisation": short},
            "probe": {"init_from": str(step_one), "data": {"dataset": "scenes", **source}},
        }[stage]
        named = {"stage": stage, "output": str(output)}
        return resolve(OmegaConf.create({**named, **given}), "test")

    return make


@pytest.mark.slow
@pytest.mark.parametrize(
    "stage",
    [
        "concept_clip",
        "proposer",
        "zero_shot",
        "clip_attr",
        "clip_attr_captions",
        "ovarnet",
        "probe",
    ],
)
def test_weights_do_not_depend_on_novel_boxes_and_labels(stage, stages):
    folders = [
        train(stages(stage, world), Accelerator(cpu=True)) for world in ("as it is", "clean")
    ]
    names = sorted(file.name for file in folders[0].glob("*.safetensors"))
    assert names
    for name in names:
        one, other = ((folder / name).read_bytes() for folder in folders)
        assert one == other, name
    one, other = (load_checkpoint(folder).settings.get("calibration") for folder in folders)
    assert one == other
