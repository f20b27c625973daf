"""torchvision's COCO detector as a proposer, on a file of the exact real format with random
weights."""

import pytest
import torch
from torchvision.models.detection import fasterrcnn_resnet50_fpn

from ovarnet.errors import InputError
from ovarnet.proposals import torchvision as torchvision_proposer
from ovarnet.proposals.torchvision import TorchvisionProposer


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("hub") / "fasterrcnn.pth"
    torch.save(fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None).state_dict(), path)
    return path


@pytest.mark.slow
def test_loads_the_file_and_merges_classes(weights, monkeypatch):
    monkeypatch.setattr(torchvision_proposer, "LIMIT", 20)
    proposer = TorchvisionProposer(weights)
    proposer.detector.roi_heads.score_thresh = 0.0  # random weights are sure of nothing
    assert torch.equal(
        proposer.detector.backbone.body.conv1.weight,
        torch.load(weights, weights_only=True)["backbone.body.conv1.weight"],
    )
    proposer.detector.transform.short_side = (64, 64)  # seconds instead of half a minute
    (found,) = proposer.propose([torch.rand(3, 64, 96)])
    assert 0 < len(found) <= 20
    assert (found.scores.diff() <= 0).all()
    assert found.boxes.min() >= 0
    assert found.boxes[:, 2].max() <= 96
    assert found.boxes[:, 3].max() <= 64
    assert "80 COCO classes" in proposer.provenance


@pytest.mark.slow
def test_stays_in_evaluation_mode(weights):
    assert not TorchvisionProposer(weights).train().detector.training


def test_missing_file_says_where_to_put_it(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"no detector weights at .*none\.pth; download https://"):
        TorchvisionProposer(tmp_path / "none.pth")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(InputError, match="fasterrcnn_resnet50_fpn_coco-258fb6c6"):
        TorchvisionProposer()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 truncated"])
def test_damaged_file(tmp_path, content):
    path = tmp_path / "broken.pth"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.pth is cut off"):
        TorchvisionProposer(path)


@pytest.mark.slow
def test_weights_of_another_model(tmp_path):
    path = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(2)}, path)
    with pytest.raises(InputError, match=r"other\.pth is not torchvision's"):
        TorchvisionProposer(path)
