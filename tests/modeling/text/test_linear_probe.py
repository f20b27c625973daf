"""The linear probe as it is stored."""

import torch

from ovarnet.modeling.text.linear_probe import LinearProbe


def test_the_stored_form_is_the_fitted_one():
    """z + v.w + b with unit v equals the centred and scaled form that was fitted, and unknown names
    get gain and bias alone."""
    probe = LinearProbe({"category": [], "attribute": ["red"]}, 2)
    probe.set("attribute", (2.0, 0.5), torch.tensor([[3.0, 0.0, 1.0]]))
    scores = probe(
        torch.tensor([[1.0, 1.0]]), torch.tensor([[10.0, 0.0]]), "attribute", ["new", "red"]
    )
    assert scores.tolist() == [[2.5, 6.5]]
    assert probe(torch.zeros(0, 2), torch.zeros(0, 2), "attribute", ["new", "red"]).shape == (0, 2)
