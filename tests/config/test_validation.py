"""The choice among the weights of a run is off unless a split or captions are named."""

import pytest

from ovarnet.config import build_settings
from ovarnet.config.validation import CaptionValidation, StepTwoValidation, Validation
from ovarnet.errors import InputError


def test_by_default_nothing_is_measured():
    assert Validation() == Validation(split=None, every=100, batches=8, patience=0)
    assert (StepTwoValidation().captions, StepTwoValidation().split) == (None, None)
    assert CaptionValidation() == CaptionValidation(captions=None, every=100, batches=8, patience=0)


@pytest.mark.parametrize("wrong", [{"every": 0}, {"batches": 0}, {"patience": -1}])
def test_ranges(wrong):
    with pytest.raises(InputError):
        build_settings(Validation, wrong, "x.yaml")
