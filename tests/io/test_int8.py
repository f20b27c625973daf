"""Matrices in 8 bits: what is stored, and how near what is read comes."""

import torch

from ovarnet.io.int8 import quantise, restore


def test_a_matrix_becomes_whole_numbers_and_scales():
    state = {"text.w": torch.tensor([[1.0, -2.54], [0.0, 0.0]]), "text.b": torch.ones(2)}
    stored = quantise(state | {"visual.w": torch.ones(2, 2)}, "text.")
    assert set(stored) == {"text.w.int8", "text.w.scales", "text.b", "visual.w"}
    assert stored["text.w.int8"].tolist() == [[50, -127], [0, 0]]
    torch.testing.assert_close(stored["text.w.scales"][0], torch.tensor([0.02]))
    torch.testing.assert_close(restore(stored)["text.w"], state["text.w"])
    assert restore(stored)["text.b"].tolist() == [1, 1]


def test_no_number_is_off_by_more_than_half_a_step():
    matrix = torch.randn(50, 70, generator=torch.Generator().manual_seed(0))
    error = (restore(quantise({"m": matrix}, ""))["m"] - matrix).abs()
    assert (error <= matrix.abs().amax(dim=1, keepdim=True) / 253).all()
    assert error.max() > 0


def test_a_tensor_that_only_ends_like_scales_stays():
    state = {"a.scales": torch.ones(2, 1)}
    assert restore(state).keys() == state.keys()
