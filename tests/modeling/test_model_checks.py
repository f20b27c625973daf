"""Models and embeddings that cannot be used."""

import pytest
import torch
from torch import nn

from ovarnet.errors import InputError
from ovarnet.modeling.model_checks import check_finite, check_ready


def test_a_model_must_be_in_evaluation_mode_and_in_float32():
    check_ready(nn.Linear(2, 2).eval())
    with pytest.raises(RuntimeError, match=r"evaluation mode; call \.eval\(\) first"):
        check_ready(nn.Linear(2, 2))
    with pytest.raises(InputError, match=r"weights are torch\.bfloat16, .* use predictor\.half"):
        check_ready(nn.Linear(2, 2).bfloat16().eval())


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_embeddings_must_be_finite(bad):
    check_finite(torch.zeros(0, 3), "a.jpg", torch.float32)
    embeddings = torch.tensor([[0.0, bad]])
    with pytest.raises(InputError, match=r"a\.jpg: .* not finite; its weights are damaged"):
        check_finite(embeddings, "a.jpg", torch.bfloat16)
    with pytest.raises(InputError, match=r"image: .* float16 may be too narrow"):
        check_finite(embeddings, None, torch.float16)
