"""The weights in the package: their size, and that they know the generated world on pictures nobody
has seen."""

import pytest
import torch

import ovarnet
from ovarnet.build import SHIPPED, load
from ovarnet.modeling.post_processing import PROTOCOL
from ovarnet.scenes.world.render import render_scene

FRESH_SEED = 987_654


@pytest.fixture(scope="module", params=["scenes", "scenes-clip-attr"])
def model(request):
    return load(request.param, device="cpu")


@pytest.fixture(scope="module")
def scenes():
    return [render_scene(FRESH_SEED, "test", index) for index in range(40)]


def test_all_together_under_25_megabytes_and_nothing_pickled():
    files = [path for path in SHIPPED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 25e6
    assert {path.suffix for path in files} <= {".safetensors", ".json", ".yaml", ".md"}


def test_categories_as_a_softmax_over_the_words_asked(scenes):
    model, box = (
        load("scenes", device="cpu", category_activation="softmax"),
        [scenes[0].objects[0].box],
    )
    found = model.detect(
        scenes[0].image, categories=["tree", "heart", "apple"], attributes=[], boxes=box
    )
    assert found.category_scores.sum().item() == pytest.approx(1, abs=1e-5)


def test_every_public_name_is_there():
    names = [name for name in ovarnet.__all__ if name != "__version__"]
    assert sorted(names) == names
    assert [getattr(ovarnet, name).__name__ for name in names] == names
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        _ = ovarnet.lode


def test_categories_of_given_boxes_on_fresh_scenes(model, scenes):
    """Chance is 1 of 40; what was measured on 1,000 scenes stands in the README. Base and novel
    alike are far above chance."""
    names, right = model.vocabulary.category_names, {True: [], False: []}
    for scene in scenes:
        found = model.detect(scene.image, boxes=[item.box for item in scene.objects], attributes=[])
        for item, row in zip(scene.objects, found.category_scores, strict=True):
            right[item.thing.category.seen].append(names[row.argmax()] == item.thing.category.name)
    assert all(len(hits) >= 20 and sum(hits) / len(hits) > 0.5 for hits in right.values())


def test_boxes_found_on_fresh_scenes(model, scenes):
    from torchvision.ops import box_iou

    # as in evaluation: with one word every box is a car, also one inside another object
    images = [scene.image for scene in scenes[:20]]
    found = model.detect(images, categories=["car"], attributes=[], **PROTOCOL)
    overlaps = [
        box_iou(torch.tensor([item.box for item in scene.objects]).float(), boxes.boxes).amax(dim=1)
        for scene, boxes in zip(scenes[:20], found, strict=True)
    ]
    assert (torch.cat(overlaps) >= 0.5).float().mean() > 0.8


def test_words_the_weights_never_met_are_scored_too(model, scenes):
    found = model.detect(
        scenes[0].image, categories=["giraffe", "Car", "hot dog"], attributes=["feux d'artifice"]
    )
    assert found.categories == ["giraffe", "Car", "hot dog"]
    assert found.attributes == ["feux d'artifice"]
    assert torch.isfinite(found.category_scores).all()
    assert ((found.category_scores >= 0) & (found.category_scores <= 1)).all()
