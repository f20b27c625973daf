"""The fit of the linear probe, by its stated loss."""

import math

import pytest
import torch

from ovarnet.errors import InputError
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN
from ovarnet.training.clip_attr.probe_fit import TEXT_ALONE, ProbeData, fit, held_out_loss, solve


def data_of(labels, seed=0):
    """12 boxes of 12 images; the first number of the embedding is +1 or -1 as the first word's
    labels say. The text says nothing."""
    draw = torch.Generator().manual_seed(seed)
    embeddings = 0.1 * torch.randn(12, 4, generator=draw)
    embeddings[:, 0] = torch.tensor([1.0, -1.0] * 6)
    return ProbeData(
        torch.randn(12, labels.shape[1], generator=draw), labels, embeddings, torch.arange(12)
    )


def test_the_linear_term_is_chosen_where_it_helps_on_held_out_images():
    useful = torch.tensor([POSITIVE, NEGATIVE] * 6, dtype=torch.int8)[:, None]
    assert (
        held_out_loss(data_of(useful), 0.01, 0)
        < 0.2
        < 0.6
        < held_out_loss(data_of(useful), TEXT_ALONE, 0)
    )
    noise = torch.tensor([1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0], dtype=torch.int8)[:, None]
    assert held_out_loss(data_of(noise), 0.001, 0) > held_out_loss(data_of(noise), TEXT_ALONE, 0)


def test_the_fit_is_where_the_stated_loss_has_no_slope():
    """Embeddings far from the origin and of another length, text scores of another scale: neither
    may be lost on the way."""
    labels = torch.tensor(
        [[POSITIVE, NEGATIVE], [NEGATIVE, POSITIVE], [NEGATIVE, UNKNOWN]] * 4, dtype=torch.int8
    )
    given, penalty = data_of(labels), 0.05
    given.embeddings, given.logits = 3 * (given.embeddings + 2), 5 * given.logits - 20
    fitted = solve(given, penalty)
    (gain, bias), weights = fitted.calibration, fitted.weights
    unit = given.embeddings / given.embeddings.norm(dim=1, keepdim=True)
    centre = unit.mean(dim=0)
    spread = ((unit - centre) ** 2).sum(dim=1).mean().sqrt()
    slopes, intercepts = weights[:, :-1], weights[:, -1]
    z = gain * given.logits + bias + unit @ slopes.T + intercepts
    errors = torch.where(labels == UNKNOWN, 0.0, z.sigmoid() - (labels == POSITIVE).float()) / (
        labels != UNKNOWN
    ).sum(dim=0)
    at_centre = slopes @ centre + intercepts
    assert at_centre.abs().min() > 0.01, "a case without a linear term would show nothing"
    assert slopes.abs().max() > 1
    assert (errors.sum(dim=0) + penalty * at_centre).tolist() == pytest.approx([0, 0], abs=1e-4)
    assert (
        errors.T @ (unit - centre) / spread + penalty * slopes * spread
    ).flatten().tolist() == pytest.approx([0] * 8, abs=1e-4)


@pytest.mark.parametrize("penalty", [0.01, TEXT_ALONE])
def test_scale_and_offset_of_the_text_scores_do_not_matter(penalty):
    labels = torch.tensor([1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0], dtype=torch.int8)[:, None]
    one, other = data_of(labels), data_of(labels)
    other.logits = 0.1 * other.logits - 7
    assert held_out_loss(other, penalty, 0) == pytest.approx(
        held_out_loss(one, penalty, 0), rel=1e-3
    )


def test_unknown_labels_are_ignored():
    labels = torch.tensor([[POSITIVE, UNKNOWN], [NEGATIVE, UNKNOWN]] * 6, dtype=torch.int8)
    weights = solve(data_of(labels), 0.01).weights
    assert weights[0].abs().max() > 1
    assert weights[1].abs().max() == 0


def test_the_choice_is_printed_and_kept(capsys):
    useful = torch.tensor([POSITIVE, NEGATIVE] * 6, dtype=torch.int8)[:, None]
    fitted = fit(data_of(useful), [0.01, 1000.0], 0, "attribute")
    printed = capsys.readouterr().out
    assert printed.startswith("attribute words: held-out loss ")
    assert "with a linear term of penalty 0.01; the linear term is kept" in printed
    assert torch.equal(fitted.weights, solve(data_of(useful), 0.01).weights)


@pytest.mark.parametrize("owners", [[0] * 12, [3] * 12])
def test_labels_in_one_image_only_are_refused_in_a_line(owners):
    data = data_of(torch.tensor([POSITIVE, NEGATIVE] * 6, dtype=torch.int8)[:, None])
    data.owners = torch.tensor(owners)
    with pytest.raises(InputError, match="only 1 image of the training data has category labels"):
        fit(data, [0.1], 0, "category")


def test_images_without_labels_are_in_no_fold():
    """Two labelled images of twelve: each is held out once, and its loss is a number."""
    labels = torch.full((12, 1), UNKNOWN, dtype=torch.int8)
    labels[0], labels[7] = POSITIVE, NEGATIVE
    for penalty in (0.1, TEXT_ALONE):
        assert math.isfinite(held_out_loss(data_of(labels), penalty, 0))


def test_labels_that_are_all_alike_are_refused():
    with pytest.raises(InputError, match="the category labels of the training data are all alike"):
        fit(data_of(torch.zeros(12, 1, dtype=torch.int8)), [0.1], 0, "category")
