"""The switch "adapter behind the teacher": who trains it, what the student gets, and that without
labels it gets no gradient."""

import pytest
import torch
from accelerate import Accelerator
from distillation_run import assemble_run
from image_targets import targets

from ovarnet.build import load_model
from ovarnet.errors import InputError
from ovarnet.structures import NO_CATEGORY, UNKNOWN
from ovarnet.training.data.base_boxes import DETECTION
from ovarnet.training.distillation.stage import train_ovarnet
from ovarnet.training.distillation.teacher_adapter import TeacherAdapter, labels_of_teacher_rows


def test_the_layers_are_those_of_the_authors():
    adapter = TeacherAdapter(6, torch.tensor([[8.0, -1.0], [6.0, -0.5]]))
    (first, leaky, second), embeddings = adapter.layers, torch.randn(2, 6)
    assert first.weight.shape == (3, 6)
    assert second.weight.shape == (6, 3)
    hidden = embeddings @ first.weight.T + first.bias
    expected = (
        torch.where(hidden > 0, hidden, leaky.negative_slope * hidden) @ second.weight.T
        + second.bias
    )
    assert torch.allclose(adapter(embeddings), expected)
    assert adapter.scales(torch.tensor([0.5]), "category").tolist() == pytest.approx([3.0])


def test_boxes_have_labels_and_crowds_and_proposals_have_none():
    first = targets(
        [[0, 0, 9, 9], [0, 0, 5, 5]],
        [1, 0],
        attributes=[[1, 0], [0, 1]],
        ignored=[False, True],
        proposals=[[1, 1, 4, 4]],
    )
    categories, attributes = labels_of_teacher_rows(
        [first, targets([[0, 0, 9, 9]], [0], attributes=[[UNKNOWN, 1]])]
    )
    assert categories.tolist() == [1, NO_CATEGORY, NO_CATEGORY, 0]
    assert attributes.tolist() == [[1, 0], [UNKNOWN] * 2, [UNKNOWN] * 2, [UNKNOWN, 1]]


@pytest.mark.parametrize("kind", ["probability", "feature"])
def test_labels_train_the_adapter_and_the_student_does_not(settings, teacher_cache, kind):
    run = assemble_run(settings(distillation={"kind": kind, "adapter": True}), teacher_cache)
    batch = run.dataset.__getitems__([(0, DETECTION, 0), (0, DETECTION, 1)])
    losses, adapter = run.model(batch), list(run.model.adapter.parameters())
    distilled = sum(loss for name, loss in losses.items() if name.startswith("distil"))
    assert torch.autograd.grad(distilled, adapter, retain_graph=True, allow_unused=True) == (
        None,
    ) * len(adapter)
    labels = sum(losses[name] for name in ("teacher_categories", "teacher_attributes"))
    assert all(
        gradient.abs().sum() > 0
        for gradient in torch.autograd.grad(labels, adapter, retain_graph=True)
    )
    head = list(run.model.model.head.parameters())
    assert all(
        gradient is None for gradient in torch.autograd.grad(labels, head, allow_unused=True)
    )
    optimised = {
        id(parameter)
        for group in run.model.groups(settings().optimisation)
        for parameter in group["params"]
    }
    assert {id(parameter) for parameter in adapter} <= optimised


def test_the_student_is_distilled_from_the_adapted_embeddings(settings, teacher_cache, monkeypatch):
    run = assemble_run(settings(distillation={"adapter": True}), teacher_cache)
    model, seen = run.model, {}
    monkeypatch.setattr(
        model.criterion,
        "loss_probabilities",
        lambda student, teacher: seen.update(teacher=teacher) or {},
    )
    with torch.no_grad():
        model.adapter.layers[2].weight.zero_()
        model.adapter.layers[2].bias.zero_()
    model(run.dataset.__getitems__([(0, DETECTION, 0)]))
    biases = [logits.unique().tolist() for logits in seen["teacher"]]
    assert biases == [[-1.0], [-0.5]], "cosine 0: the biases"


def test_its_scale_is_bounded(settings, teacher_cache):
    model = assemble_run(settings(distillation={"adapter": True}), teacher_cache).model
    model.adapter.scales.log_scale.data.fill_(9)
    model.bound_scales()
    assert model.adapter.scales.log_scale.exp().tolist() == pytest.approx([100, 100])


def test_it_needs_a_teacher_and_is_not_saved(settings, teacher_cache):
    with pytest.raises(InputError, match="adapter stands behind a teacher"):
        train_ovarnet(
            settings(distillation={"kind": "none", "adapter": True}), Accelerator(cpu=True)
        )
    folder = train_ovarnet(
        settings(distillation={"adapter": True}, optimisation={"iterations": 1}),
        Accelerator(cpu=True),
        cache_folder=teacher_cache,
    )
    assert not any("adapter" in name for name in load_model(folder, device="cpu").state_dict())
