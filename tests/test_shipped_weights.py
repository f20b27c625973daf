"""The weights in the package: their size and form, that every model scores any words, and that
those of the generated world know it on pictures nobody has seen."""

from functools import cache

import pytest
import torch

import ovarnet
from ovarnet.build import load
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.post_processing import PROTOCOL
from ovarnet.scenes.world.render import render_scene
from ovarnet.shipped import SHIPPED, shipped_models, teacher_name

FRESH_SEED = 987_654
SCENES = ["scenes", "scenes-clip-attr"]
MOST_BYTES = 80e6
"""Of all files together, as in tools/ship_weights.py."""
MOST_BYTES_OF_SCENES = 25e6

# those for photos take a second each to open
MODELS = [
    name if name in SCENES else pytest.param(name, marks=pytest.mark.slow)
    for name in shipped_models()
]


@cache
def opened(name):
    return load(name, device="cpu")


@pytest.fixture(params=SCENES)
def model(request):
    return opened(request.param)


@pytest.fixture(scope="module")
def scenes():
    return [render_scene(FRESH_SEED, "test", index) for index in range(40)]


def bytes_in(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_sizes():
    assert bytes_in(SHIPPED) < MOST_BYTES
    assert sum(bytes_in(SHIPPED / name) for name in SCENES) < MOST_BYTES_OF_SCENES


@pytest.mark.parametrize("name", shipped_models())
def test_nothing_is_pickled(name):
    files = [path for path in (SHIPPED / name).rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".safetensors", ".json", ".yaml", ".md"}


@pytest.mark.parametrize("name", MODELS)
def test_the_words_of_every_model_have_base_ones(name):
    words = opened(name).vocabulary
    assert any(word.seen for word in words.categories)
    assert any(word.seen for word in words.attributes)


@pytest.mark.parametrize("name", MODELS)
def test_every_ovarnet_ships_with_its_teacher(name):
    """Part of it lies in the folder of the teacher, and so does its proposer."""
    is_ovarnet = isinstance(opened(name).model, OvarNet)
    assert (teacher_name(name) in shipped_models()) == is_ovarnet


def test_categories_as_a_softmax_over_the_words_asked(scenes):
    model = load("scenes", device="cpu", category_activation="softmax")
    box = [scenes[0].objects[0].box]
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


@pytest.mark.slow
def test_categories_of_given_boxes_on_fresh_scenes(model, scenes):
    """Chance is 1 of 40; what was measured on 1,000 scenes stands in the README. Base and novel
    alike are far above chance."""
    names, right = model.vocabulary.category_names, {True: [], False: []}
    for scene in scenes:
        found = model.detect(scene.image, boxes=[item.box for item in scene.objects], attributes=[])
        for item, row in zip(scene.objects, found.category_scores, strict=True):
            right[item.thing.category.seen].append(names[row.argmax()] == item.thing.category.name)
    assert all(len(hits) >= 20 and sum(hits) / len(hits) > 0.5 for hits in right.values())


@pytest.mark.slow
def test_boxes_found_on_fresh_scenes(model, scenes):
    from torchvision.ops import box_iou

    # as in evaluation: with one word every box is a car, also one inside another object
    images = [scene.image for scene in scenes[:10]]
    found = model.detect(images, categories=["car"], attributes=[], **PROTOCOL)
    overlaps = [
        box_iou(torch.tensor([item.box for item in scene.objects]).float(), boxes.boxes).amax(dim=1)
        for scene, boxes in zip(scenes[:10], found, strict=True)
    ]
    assert (torch.cat(overlaps) >= 0.5).float().mean() > 0.8


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("boxes", [None, [[10, 20, 90, 100], [0, 0, 30, 40]]])
def test_words_the_weights_never_met_are_scored_too(name, boxes, scenes, monkeypatch):
    monkeypatch.setattr(opened(name).model, "proposals", 5)
    words = {"categories": ["giraffe", "Car", "hot dog"], "attributes": ["feux d'artifice"]}
    found = opened(name).detect(scenes[0].image, boxes=boxes, **words)
    assert found.categories == ["giraffe", "Car", "hot dog"]
    assert found.attributes == ["feux d'artifice"]
    assert len(found) == 2 if boxes else len(found) > 0
    for scores in (found.category_scores, found.attribute_scores):
        assert torch.isfinite(scores).all()
        assert ((scores >= 0) & (scores <= 1)).all()
