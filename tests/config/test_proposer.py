"""The settings of the stage "proposer"."""

import pytest
from refusals import accepted, refusal


@pytest.mark.parametrize("kind", ["scenes", "photos", "resnet50"])
def test_kinds_that_exist(kind):
    assert accepted("proposer", f"kind={kind}").kind == kind


def test_refusals():
    assert refusal("proposer", "kind=detr") == (
        "kind is 'detr'; it must be one of scenes, photos, resnet50"
    )
    assert refusal("proposer", "imagenet_weights=[]").startswith("imagenet_weights is []")
