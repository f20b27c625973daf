"""The settings of the loop."""

import pytest
from refusals import accepted, refusal

from ovarnet.config import Optimisation


def test_yaml_reads_a_bare_no_as_false():
    assert Optimisation(mixed_precision="False").mixed_precision == "no"
    assert accepted("clip", "optimisation.mixed_precision=no").optimisation.mixed_precision == "no"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("batch_size=4294967295", "batch_size is 4294967295; it must be from 1 to 65,536"),
        ("iterations=99999999999", "iterations is 99999999999; it must be from 1 to 10,000,000"),
        ("lr=.nan", "lr is nan; it must be more than 0 and at most 1,000"),
        ("betas=[0.9,1]", "betas is (0.9, 1.0); it must be 2 values, each from 0 to less than 1"),
        ("clip_norm=-.inf", "clip_norm is -inf; it must be more than 0, or .inf: no clipping"),
    ],
)
def test_numbers_out_of_range(override, message):
    assert refusal("proposer", f"optimisation.{override}") == f"optimisation.{message}"


def test_no_clipping():
    assert accepted("proposer", "optimisation.clip_norm=.inf").optimisation.clip_norm == float(
        "inf"
    )
