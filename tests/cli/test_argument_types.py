"""Numbers on the command line that are refused outside their range."""

import argparse

import pytest

from ovarnet.cli.argument_types import count, fraction, positive, share


def test_values_inside_the_range():
    assert [fraction(text) for text in ("0", "0.25", "1")] == [0.0, 0.25, 1.0]
    assert [share(text) for text in ("0.001", "1")] == [0.001, 1.0]
    assert [count(text) for text in ("0", "7")] == [0, 7]
    assert positive("1") == 1


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (fraction, "1.01", "1.01 is not between 0 and 1"),
        (fraction, "-0.1", "-0.1 is not between 0 and 1"),
        (fraction, "nan", "nan is not between 0 and 1"),
        (share, "0", "0 is not above 0 and at most 1"),
        (share, "1.01", "1.01 is not above 0 and at most 1"),
        (share, "nan", "nan is not above 0 and at most 1"),
        (count, "-1", "-1 is negative"),
        (positive, "0", "0 is too small"),
        (positive, "-2", "-2 is negative"),
    ],
)
def test_values_outside_the_range(kind, text, message):
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        kind(text)


@pytest.mark.parametrize(("kind", "text"), [(fraction, "high"), (count, "1.5"), (positive, "")])
def test_what_is_no_number_is_a_value_error_which_argparse_reports(kind, text):
    with pytest.raises(ValueError, match=r"could not convert|invalid literal"):
        kind(text)
