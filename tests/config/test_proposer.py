"""The settings of the stage "proposer"."""

from refusals import accepted, refusal


def test_the_kinds_are_the_two_that_exist():
    assert accepted("proposer", "kind=resnet50").kind == "resnet50"
    assert refusal("proposer", "kind=detr") == "kind is 'detr'; it must be one of scenes, resnet50"
    assert refusal("proposer", "imagenet_weights=[]").startswith("imagenet_weights is []")
