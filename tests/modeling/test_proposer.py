"""Everything that proposes boxes has the same interface."""

import inspect
import json

import pytest

from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.proposer import Proposer
from ovarnet.proposals.detector import DetectorProposer
from ovarnet.proposals.from_file import FileProposals
from ovarnet.proposals.torchvision import TorchvisionProposer


@pytest.mark.parametrize("kind", [OvarNet, DetectorProposer, TorchvisionProposer, FileProposals])
def test_all_take_images_and_names(kind):
    wanted = inspect.signature(Proposer.propose).parameters
    given = inspect.signature(kind.propose).parameters
    assert list(given) == list(wanted) == ["self", "images", "names"]
    assert given["names"].default is None


def test_a_proposer_is_recognised(tmp_path):
    (tmp_path / "boxes.json").write_text(json.dumps({}))
    assert isinstance(FileProposals(tmp_path / "boxes.json"), Proposer)
    assert not isinstance(object(), Proposer)
