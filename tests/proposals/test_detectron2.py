# ruff: noqa: E402 (detectron2 is looked for first)
"""A detector of detectron2 as the proposer."""

import pytest
import torch
from detectron2_sources import require_detectron2

require_detectron2()

from detectron2.checkpoint import DetectionCheckpointer
from detectron2.config import get_cfg
from detectron2.engine import DefaultPredictor
from detectron2.modeling import build_model
from detectron2.structures import Boxes, Instances
from torchvision.ops import nms

from ovarnet.build import open_proposer
from ovarnet.errors import InputError
from ovarnet.modeling.proposer import Proposer
from ovarnet.proposals.detector import BASE_BOXES_ONLY
from ovarnet.proposals.detectron2 import Detectron2Proposer, _class_agnostic

CONFIG = """
MODEL:
  META_ARCHITECTURE: ProposalNetwork
  DEVICE: cpu
  RESNETS: {DEPTH: 18, RES2_OUT_CHANNELS: 64, OUT_FEATURES: [res3], STEM_OUT_CHANNELS: 64}
  RPN: {IN_FEATURES: [res3], POST_NMS_TOPK_TEST: 60}
  ANCHOR_GENERATOR: {SIZES: [[16, 32]]}
INPUT: {MIN_SIZE_TEST: 64, MAX_SIZE_TEST: 100}
"""
LAZY = """
from detectron2.config import LazyCall as L, get_cfg
from detectron2.data import transforms
from detectron2.modeling import build_model

def build(file):
    cfg = get_cfg()
    cfg.merge_from_file(file)
    return build_model(cfg)

model = L(build)(file="{file}")
resize = L(transforms.ResizeShortestEdge)(short_edge_length=[64, 64], max_size=100)
dataloader = dict(test=dict(mapper=dict(augmentations=[resize], image_format="BGR")))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A config and weights of a small region proposal network."""
    folder = tmp_path_factory.mktemp("detectron2")
    (folder / "rpn.yaml").write_text(CONFIG)
    cfg = get_cfg()
    cfg.merge_from_file(str(folder / "rpn.yaml"))
    torch.manual_seed(0)
    DetectionCheckpointer(build_model(cfg), str(folder)).save("weights")
    return folder / "rpn.yaml", folder / "weights.pth"


@pytest.fixture(scope="module")
def picture():
    """(3, 40, 90) random pixels, whole numbers of 255ths."""
    pixels = torch.randint(256, (3, 40, 90), generator=torch.Generator().manual_seed(1))
    return pixels.float() / 255


def test_boxes_are_those_of_detectron2s_predictor(files, picture):
    config, weights = files
    proposer = Detectron2Proposer(config, weights)
    assert isinstance(proposer, Proposer)
    found = proposer.propose([picture, picture.flip(-1)])[0]

    cfg = get_cfg()
    cfg.merge_from_file(str(config))
    cfg.MODEL.WEIGHTS = str(weights)
    bgr = (picture * 255).round().byte().flip(0).permute(1, 2, 0).numpy()
    expected = DefaultPredictor(cfg)(bgr)["proposals"]
    boxes, scores = expected.proposal_boxes.tensor, expected.objectness_logits.sigmoid()
    kept = nms(boxes, scores, 0.7)
    assert 10 < len(found) == len(kept) <= 60
    assert torch.allclose(found.boxes, boxes[kept])
    assert torch.allclose(found.scores, scores[kept])
    assert found.boxes[:, 2].max() <= 90
    assert found.boxes[:, 2].max() > 64  # of the original image, not of the resized one


def test_a_lazy_config_gives_the_same(files, picture, tmp_path):
    config, weights = files
    (tmp_path / "rpn.py").write_text(LAZY.replace("{file}", str(config)))
    lazy = Detectron2Proposer(tmp_path / "rpn.py", weights).propose([picture])[0]
    plain = Detectron2Proposer(config, weights).propose([picture])[0]
    assert torch.equal(lazy.boxes, plain.boxes)


def test_classes_of_a_detector_are_dropped():
    """Two classes on one object are one box; the better score is kept."""
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30]])
    instances = Instances(
        (40, 40),
        pred_boxes=Boxes(boxes),
        scores=torch.tensor([0.5, 0.75, 0.25]),
        pred_classes=torch.tensor([0, 1, 0]),
    )
    found = _class_agnostic({"instances": instances})
    assert found.boxes.tolist() == boxes[[1, 2]].tolist()
    assert found.scores.tolist() == [0.75, 0.25]
    with pytest.raises(InputError, match="returns sem_seg and no boxes"):
        _class_agnostic({"sem_seg": None})


def test_it_opens_by_name_and_says_what_it_was_trained_on(files):
    config, weights = files
    proposer = open_proposer(f"detectron2:{config},{weights}")
    assert proposer.provenance == "detectron2 rpn.yaml, data unknown"
    assert not proposer.train().training
    stated = open_proposer(f"detectron2:{config},{weights},base-only")
    assert stated.provenance == BASE_BOXES_ONLY


def test_files_that_do_not_fit_are_refused(files, tmp_path):
    config, weights = files
    with pytest.raises(InputError, match=r"nowhere.pth: no such file; a detectron2 proposer is"):
        Detectron2Proposer(config, tmp_path / "nowhere.pth")
    with pytest.raises(InputError, match="write detectron2:CONFIG,WEIGHTS or"):
        open_proposer(f"detectron2:{config}")
    with pytest.raises(InputError, match="write detectron2:CONFIG,WEIGHTS or"):
        open_proposer(f"detectron2:{config},{weights},coco")

    torch.save(
        {"model": {"backbone.stem.conv1.weight": torch.zeros(64, 3, 7, 7)}}, tmp_path / "x.pth"
    )
    with pytest.raises(InputError, match=r"x.pth does not fit the config: it lacks \d+ weights"):
        Detectron2Proposer(config, tmp_path / "x.pth")
    (tmp_path / "y.pth").write_bytes(b"no weights")
    with pytest.raises(InputError, match=r"y.pth cannot be read as weights"):
        Detectron2Proposer(config, tmp_path / "y.pth")
    (tmp_path / "bad.yaml").write_text("MODEL: {NO_SUCH_KEY: 1}")
    with pytest.raises(InputError, match=r"bad.yaml is no config of detectron2: .*NO_SUCH_KEY"):
        Detectron2Proposer(tmp_path / "bad.yaml", weights)
