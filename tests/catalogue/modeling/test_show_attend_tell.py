"""The captioner: it learns which word goes with which cell, and its attention says so."""

import math

import pytest
import torch

from ovarnet.catalogue.modeling.show_attend_tell import (
    END,
    PAD,
    START,
    ShowAttendTell,
    captioner_losses,
)


def test_losses_by_hand():
    logits = torch.zeros(1, 3, 5)
    attention = torch.tensor([[[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]])
    losses = captioner_losses(logits, attention, torch.tensor([[4, END, PAD]]))
    assert losses["words"].item() == pytest.approx(math.log(5))
    # attention over the two words: 1.5 and 0.5
    assert losses["coverage"].item() == 0.25


def test_generation_gives_the_logits_of_teacher_forcing_and_ends():
    torch.manual_seed(0)
    model, cells = ShowAttendTell(9, 6).eval(), torch.randn(2, 4, 6)
    words, maps = model.generate(cells, 5)
    assert words.shape == (2, 5)
    assert torch.allclose(maps.sum(dim=2), torch.ones(2, 5), atol=1e-6)
    read = torch.cat([torch.full((2, 1), START), words[:, :-1]], dim=1)
    _, again = model(cells, read)
    for row in range(2):
        ended = (words[row] == PAD).nonzero()
        length = int(ended[0]) if len(ended) else 5
        assert torch.allclose(again[row, :length], maps[row, :length], atol=1e-6)


@pytest.mark.slow
def test_a_word_is_found_where_its_cell_is():
    """One of four cells is marked, and the title is its colour; another cell has another colour, so
    that the mean of the cells does not tell."""
    torch.manual_seed(0)
    model = ShowAttendTell(7, 4, hidden=32, embedding=8)
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

    def photos(count):
        order = torch.rand(count, 4, generator=generator).argsort(dim=1)
        colors = torch.rand(count, 3, generator=generator).argsort(dim=1)
        rows, cells = torch.arange(count), torch.zeros(count, 4, 4)
        cells[rows, order[:, 0], colors[:, 0]] = 2
        cells[rows, order[:, 0], 3] = 2
        cells[rows, order[:, 1], colors[:, 1]] = 2
        start, end = torch.full((count,), START), torch.full((count,), END)
        return cells, torch.stack([start, 4 + colors[:, 0], end], dim=1), order[:, 0]

    for _ in range(200):
        cells, words, _ = photos(64)
        logits, maps = model(cells, words[:, :-1])
        losses = captioner_losses(logits, maps, words[:, 1:])
        optimizer.zero_grad()
        losses["words"].backward()
        optimizer.step()
    cells, words, marked = photos(200)
    written, maps = model.eval().generate(cells, 2)
    assert (written[:, 0] == words[:, 1]).float().mean() > 0.95
    assert (written[:, 1] == PAD).all()
    assert (maps[:, 0].argmax(dim=1) == marked).float().mean() > 0.9
