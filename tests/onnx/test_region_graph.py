"""OvarNet as a function of tensors: the same regions and scores as the model's, any padding."""

import pytest
import torch
from exporter import needs_exporter
from small_ovarnet import small_ovarnet

from ovarnet.errors import InputError
from ovarnet.modeling.text.linear_probe import LinearProbe
from ovarnet.modeling.vit_pyramid import fused_attention
from ovarnet.onnx.region_graph import RegionGraph, calibration_of
from ovarnet.onnx.region_inputs import region_inputs

SIZES = [(64, 90), (60, 96)]
"""Within the short and long side of the model, so nothing is resized."""
GIVEN = torch.tensor([[4.0, 5, 40, 50], [10, 10, 60, 30]])


@pytest.fixture(scope="module")
def model():
    return small_ovarnet()


@pytest.fixture(scope="module")
def images():
    torch.manual_seed(5)
    return [torch.rand(3, *size) for size in SIZES]


def padded(images):
    """(N, 3, 64, 96), with numbers in the padding that must not count."""
    batch = torch.full((len(images), 3, 64, 96), 7.0)
    for row, image in zip(batch, images, strict=True):
        row[:, : image.shape[1], : image.shape[2]] = image
    return batch


def unit_rows(count, width, seed):
    rows = torch.randn(count, width, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(rows, dim=1)


@torch.no_grad()
def run(graph, images, given=GIVEN, words=(3, 2)):
    width = graph.model.clip.embed_dim
    categories, attributes = (unit_rows(count, width, count) for count in words)
    boxes = given.expand(len(images), *given.shape)
    return graph(padded(images), torch.tensor(SIZES), boxes, categories, attributes)


@torch.no_grad()
def test_found_and_given_boxes_are_those_of_the_model(model, images):
    found = run(RegionGraph(model), images)
    expected, given = model(images), model(images, [GIVEN, GIVEN])
    for row in range(2):
        used = found.objectness[row, :20] >= 0
        assert int(used.sum()) == len(expected[row].boxes) > 0
        assert torch.allclose(found.boxes[row, :20][used], expected[row].boxes, atol=1e-3)
        assert torch.allclose(found.objectness[row, :20][used], expected[row].objectness, atol=1e-5)
        ours, theirs = found.embeddings[row, :20][used], expected[row].embeddings
        assert torch.allclose(ours, theirs, atol=1e-4)

        assert torch.equal(found.boxes[row, 20:], GIVEN)
        assert found.objectness[row, 20:].tolist() == [1, 1]
        assert torch.allclose(found.embeddings[row, 20:], given[row].embeddings, atol=1e-4)


@torch.no_grad()
def test_scores_are_the_sigmoid_of_scaled_cosines(model, images):
    found = run(RegionGraph(model), images)
    for scores, count, scale in (
        (found.category_scores, 3, 9.0),
        (found.attribute_scores, 2, 11.0),
    ):
        words = unit_rows(count, model.clip.embed_dim, count)
        cosines = torch.cosine_similarity(found.embeddings[:, :, None], words[None, None], dim=-1)
        assert torch.allclose(scores, (scale * cosines - 2).sigmoid(), atol=1e-5)


def test_no_given_box_and_no_words(model, images):
    found = run(RegionGraph(model), images, torch.zeros(0, 4), (0, 1))
    assert found.boxes.shape == (2, 20, 4)
    assert found.category_scores.shape == (2, 20, 0)
    assert found.attribute_scores.shape == (2, 20, 1)


def test_the_model_itself_stays_as_it_was(model, images):
    RegionGraph(model)
    assert type(model.head.align).__name__ == "MultiScaleRoIAlign"


def test_scores_that_are_no_scale_and_bias_are_refused():
    probed = small_ovarnet(box_stage_width=0)
    width = probed.clip.embed_dim
    probed.classifier.probe = LinearProbe({"category": ["mug"], "attribute": []}, width)
    with pytest.raises(InputError, match="linear probe"):
        calibration_of(probed)
    probed.classifier.probe = None
    probed.classifier.calibration.fill_(float("nan"))
    with pytest.raises(InputError, match="not calibrated"):
        RegionGraph(probed)


@pytest.mark.slow
@torch.no_grad()
def test_torch_export_with_any_size_and_number_of_images(model, images):
    graph = RegionGraph(model)
    inputs, shapes = region_inputs(model)
    with fused_attention():
        program = torch.export.export(graph, (), inputs, dynamic_shapes=shapes, strict=False)
    expected = run(graph, images)
    width = model.clip.embed_dim
    found = program.module()(
        images=padded(images),
        sizes=torch.tensor(SIZES),
        given_boxes=GIVEN.expand(2, 2, 4),
        category_words=unit_rows(3, width, 3),
        attribute_words=unit_rows(2, width, 2),
    )
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


@pytest.mark.slow
@torch.no_grad()
@needs_exporter
def test_torch_compile_of_the_model(model, images):
    """The tracer alone: the default backend needs a C++ compiler."""
    compiled = torch.compile(model, backend="eager")
    for ours, theirs in zip(compiled(images), model(images), strict=True):
        assert torch.allclose(ours.boxes, theirs.boxes, atol=1e-4)
        assert torch.allclose(ours.embeddings, theirs.embeddings, atol=1e-5)
