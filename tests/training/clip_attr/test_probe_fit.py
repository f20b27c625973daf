"""The fit of the linear probe, by its stated loss."""

import pytest
import torch

from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN
from ovarnet.training.clip_attr.probe_fit import TEXT_ALONE, ProbeData, held_out_loss, solve


def lesson(labels, seed=0):
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
        held_out_loss(lesson(useful), 0.01, 4, 0)
        < 0.2
        < 0.6
        < held_out_loss(lesson(useful), TEXT_ALONE, 4, 0)
    )
    noise = torch.tensor([1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0], dtype=torch.int8)[:, None]
    assert held_out_loss(lesson(noise), 0.001, 4, 0) > held_out_loss(
        lesson(noise), TEXT_ALONE, 4, 0
    )


def test_the_fit_is_where_the_stated_loss_has_no_slope():
    """Embeddings far from the origin and of another length, text scores of another scale: neither
    may be lost on the way."""
    labels = torch.tensor(
        [[POSITIVE, NEGATIVE], [NEGATIVE, POSITIVE], [NEGATIVE, UNKNOWN]] * 4, dtype=torch.int8
    )
    given, strength = lesson(labels), 0.05
    given.embeddings, given.logits = 3 * (given.embeddings + 2), 5 * given.logits - 20
    (gain, bias), weights = solve(given, strength)
    unit = given.embeddings / given.embeddings.norm(dim=1, keepdim=True)
    centre = unit.mean(dim=0)
    spread = ((unit - centre) ** 2).sum(dim=1).mean().sqrt()
    slopes, intercepts = weights[:, :-1], weights[:, -1]
    z = gain * given.logits + bias + unit @ slopes.T + intercepts
    errors = torch.where(labels == UNKNOWN, 0.0, z.sigmoid() - (labels == POSITIVE).float()) / (
        labels != UNKNOWN
    ).sum(dim=0)
    at_centre = slopes @ centre + intercepts
    assert at_centre.abs().min() > 0.01 and slopes.abs().max() > 1, (
        "a case without a linear term would show nothing"
    )
    assert (errors.sum(dim=0) + strength * at_centre).tolist() == pytest.approx([0, 0], abs=1e-4)
    assert (
        errors.T @ (unit - centre) / spread + strength * slopes * spread
    ).flatten().tolist() == pytest.approx([0] * 8, abs=1e-4)


@pytest.mark.parametrize("strength", [0.01, TEXT_ALONE])
def test_scale_and_offset_of_the_text_scores_do_not_matter(strength):
    labels = torch.tensor([1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0], dtype=torch.int8)[:, None]
    one, other = lesson(labels), lesson(labels)
    other.logits = 0.1 * other.logits - 7
    assert held_out_loss(other, strength, 4, 0) == pytest.approx(
        held_out_loss(one, strength, 4, 0), rel=1e-3
    )


def test_unknown_labels_teach_nothing():
    labels = torch.tensor([[POSITIVE, UNKNOWN], [NEGATIVE, UNKNOWN]] * 6, dtype=torch.int8)
    _, weights = solve(lesson(labels), 0.01)
    assert weights[0].abs().max() > 1
    assert weights[1].abs().max() == 0
