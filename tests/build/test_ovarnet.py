"""OvarNet from its design and from a folder."""

import pytest
import torch
from narrow_clips import narrow_clips
from omegaconf import OmegaConf

from ovarnet.build import SHIPPED, build_ovarnet, checkpoint_ovarnet
from ovarnet.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from ovarnet.config import OvarnetDesign
from ovarnet.errors import InputError
from ovarnet.modeling.box_stage import BoxStage
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.concept_roi_head import ConceptRoiHead, ConceptStages
from ovarnet.modeling.resnet_pyramid import ResnetPyramid
from ovarnet.modeling.roi_heads import AveragePool, ClipStages
from ovarnet.modeling.text.prompts import TemplatePrompts
from ovarnet.modeling.vit_pyramid import VitPyramid
from ovarnet.vocabulary import Vocabulary

WORDS = Vocabulary.of(["mug"], ["red"])


@pytest.fixture(scope="module")
def clip():
    torch.manual_seed(0)
    return load_clip("ovarnet-scenes", None, random_weights=True)


def build(clip, backbone=None, **design):
    small = {"channels": 16, "width": 32, "heads": 2, "hidden": 32, "roi_size": 4, **design}
    return build_ovarnet(
        clip, lambda text: TemplatePrompts(), backbone or clip, WORDS, OvarnetDesign(**small)
    )


def test_the_design_reaches_the_parts(clip):
    model = build(
        clip,
        short_side=(32, 96),
        long_side=128,
        anchor_sizes=[8, 16, 32, 64, 128],
        anchor_scales=[1.0, 2.0],
        rpn_pre_nms=(60, 50),
        rpn_post_nms=(40, 30),
        proposals=20,
        head="average",
        square_regions=True,
    )
    assert isinstance(model.backbone, ResnetPyramid)
    assert model.resize.short_side == (32, 96)
    assert model.resize.max_size == 128
    assert model.rpn.anchor_generator.sizes[0] == (8, 16)
    assert (model.rpn.pre_nms_top_n(), model.rpn.post_nms_top_n()) == (50, 30)
    assert model.rpn.train().pre_nms_top_n() == 60
    assert model.proposals == 20
    assert isinstance(model.head.cells, AveragePool)
    assert (model.head.source, model.head.square) == ("pyramid", True)
    assert model.vocabulary is WORDS


def test_a_vit_gets_the_pyramid_for_vits(clip):
    with narrow_clips():
        vit = load_clip("ViT-B-16", None, random_weights=True)
    model = build(vit, coarser_map=False, anchor_sizes=[8, 16, 32], finest_stride=8, window=7)
    assert isinstance(model.backbone, VitPyramid)
    assert list(model.backbone.strides) == ["p3", "p4", "p5"]
    assert model.backbone.window == 7


def test_the_head_of_clips_stages_pools_from_the_trunk(clip):
    head = build(clip, head="clip", clip_source="c3").head
    assert isinstance(head.cells, ClipStages)
    assert (head.source, head.align.output_size) == ("trunk", (8, 8))


def test_a_head_of_another_clip_does_not_fit(clip):
    with narrow_clips():
        other = load_clip("RN50", None, random_weights=True)
    with pytest.raises(InputError, match="embeds in 64 numbers and the texts have 128"):
        build(clip, other, head="clip")


def test_a_photo_clip_gives_the_head_its_own_stages(photo_clip):
    head = build(photo_clip, head="clip", square_regions=True).head
    assert isinstance(head, ConceptRoiHead)
    assert isinstance(head.cells, ConceptStages)
    assert (head.square, head.align.output_size, head.align.scales) == (True, (4, 4), [1 / 16])


def test_a_photo_head_and_texts_of_another_clip_do_not_fit(clip, photo_clip):
    with pytest.raises(InputError, match="embeds in 64 numbers and the texts have 128"):
        build(clip, photo_clip, head="clip")


def test_a_box_stage_has_the_width_of_the_design(clip):
    assert build(clip).box_stage is None
    stage = build(clip, box_stage_width=24).box_stage
    assert isinstance(stage, BoxStage)
    assert stage.box_head.fc6.out_features == 24


def test_a_photo_model_with_a_box_stage_is_restored(photo_clip, small_photos, tmp_path):
    model = build(photo_clip, head="clip", box_stage_width=24)
    design = {"channels": 16, "roi_size": 4, "head": "clip", "box_stage_width": 24}
    settings = {
        "clip": {"name": "ovarnet-photos"},
        "backbone": {"name": "ovarnet-photos"},
        "prompts": TemplatePrompts().templates,
        "calibration": {"category": [3.0, -1.0], "attribute": [2.0, 0.5]},
        "design": design,
    }
    parts = {
        "text": model.clip.model.state_dict(),
        "detector": model.detector_parts().state_dict(),
    }
    folder = save_checkpoint(
        tmp_path / "model", model="ovarnet", settings=settings, vocabulary=WORDS, parts=parts
    )
    again = checkpoint_ovarnet(load_checkpoint(folder))
    stored = model.detector_parts().state_dict()
    found = again.detector_parts().state_dict()
    assert found.keys() == stored.keys()
    assert {name.partition(".")[0] for name in found} == {"backbone", "rpn", "head", "box_stage"}
    assert all(torch.equal(value, stored[name]) for name, value in found.items())
    assert again.classifier.calibration.tolist() == [[3, -1], [2, 0.5]]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"head": "median"}, "attention, average or clip"),
        ({"finest_stride": 2}, "4 or 8"),
        ({"head": "clip", "clip_source": "c5"}, "c4, c3, c2"),
        ({"anchor_sizes": [8, 16]}, "2 sizes for 5 maps .strides 4, 8, 16, 32, 64.; give one"),
    ],
)
def test_a_design_that_cannot_be(clip, wrong, words):
    with pytest.raises(InputError, match=words):
        build(clip, **wrong)


def test_the_shipped_folder_is_restored(clip):
    checkpoint = load_checkpoint(SHIPPED / "scenes")
    model = checkpoint_ovarnet(checkpoint)
    stored = checkpoint.part("detector")
    parts = model.detector_parts().state_dict()
    assert parts.keys() == stored.keys()
    assert all(torch.equal(stored[name], value) for name, value in parts.items())
    expected = [checkpoint.settings["calibration"][kind] for kind in ("category", "attribute")]
    assert torch.allclose(model.classifier.calibration, torch.tensor(expected))


@pytest.mark.parametrize(
    ("design", "words"),
    [
        ({"channels": 0}, "channels is 0"),
        ({"rpn_pre_nms": [-1, -1]}, "rpn_pre_nms"),
        ({"chanels": 5}, "chanels"),
    ],
)
def test_a_damaged_design_names_file_and_key(design, words, tmp_path):
    shipped = load_checkpoint(SHIPPED / "scenes")
    settings = OmegaConf.to_container(OmegaConf.merge(shipped.settings, {"design": design}))
    damaged = Checkpoint(tmp_path, "ovarnet", settings, shipped.vocabulary)
    with pytest.raises(InputError, match="it was not written by ovarnet") as error:
        checkpoint_ovarnet(damaged)
    assert str(error.value).startswith(f"{tmp_path / 'config.yaml'}: design")
    assert words in str(error.value)
