"""Tables and shards of captions through every stage that reads captions."""

import math

import pytest
import torch
from accelerate import Accelerator
from clip_attr_runs import FixedProposer, caption_settings
from safetensors.torch import load_file

from ovarnet.cli.main import main
from ovarnet.data.captions import load_captions
from ovarnet.proposals.store import read_proposals, write_proposals
from ovarnet.training.clip_attr.pseudo_labels import (
    PseudoLabels,
)
from ovarnet.training.clip_attr.step_two import train_with_captions


@pytest.fixture(scope="module")
def trained_on_coco(tiny_world, step_one, pseudo_labels, tmp_path_factory):
    config = caption_settings(tiny_world, step_one, pseudo_labels, tmp_path_factory.mktemp("coco"))
    return train_with_captions(config, Accelerator(cpu=True))


@pytest.mark.slow
def test_tables_and_shards_go_through_every_caption_stage_as_coco_does(
    corpus, trained_on_coco, tiny_world, step_one, pseudo_labels, tmp_path
):
    captions, images = corpus
    where = ["--captions", captions, *(["--images", images] if images else [])]
    assert (
        main(
            [
                "propose",
                "--proposer",
                "scenes",
                "--limit",
                "3",
                "--output",
                str(tmp_path / "proposals"),
                *where,
            ]
        )
        == 0
    )
    assert len(read_proposals(tmp_path / "proposals")) == 8
    assert (
        write_proposals(
            FixedProposer(),
            [image.file for image in load_captions(captions, images)],
            tmp_path / "fixed",
            limit=2,
        )
        == 8
    )
    assert (
        main(
            [
                "pseudo-label",
                "--model",
                str(step_one),
                "--proposals",
                str(tmp_path / "fixed"),
                "--output",
                str(tmp_path / "labels"),
                "--device",
                "cpu",
                *where,
            ]
        )
        == 0
    )
    expected, found = (PseudoLabels.open(folder / "labels") for folder in (pseudo_labels, tmp_path))
    assert found.keys() == expected.keys()
    assert all(
        torch.equal(found[name].attribute_logits, expected[name].attribute_logits)
        for name in expected
    )
    trained = train_with_captions(
        caption_settings(
            tiny_world, step_one, tmp_path, tmp_path / "run", captions=captions, images=images
        ),
        Accelerator(cpu=True),
    )
    assert (
        len(
            {(folder / "prompts.safetensors").read_bytes() for folder in (trained, trained_on_coco)}
        )
        == 1
    ), "to the last bit"


@pytest.mark.slow
def test_clip_pretraining_reads_tables_and_shards(corpus, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("ovarnet.training.clip.stage.INIT_LOGIT_SCALE", 500.0)
    captions, images = corpus
    (tmp_path / "clip.yaml").write_text(f"""
        {{stage: clip, output: {tmp_path}/run, root: {tmp_path},
         captions: "{captions}", images: {images or "none"},
         clip: {{name: ovarnet-scenes}}, image_cache_mb: {int(images is None)},
         optimisation: {{iterations: 2, batch_size: 4}}}}""")
    assert main(["train", str(tmp_path / "clip.yaml")]) == 0
    assert str(tmp_path / "run") in capsys.readouterr().out
    scale = load_file(tmp_path / "run/checkpoint/clip.safetensors")["logit_scale"]
    assert scale.item() == pytest.approx(math.log(100)), "bounded, wherever it starts"
