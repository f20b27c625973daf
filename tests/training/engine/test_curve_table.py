"""The table at the end of training."""

from ovarnet.training.engine.curve_table import curve_table


def test_first_last_and_lowest_of_each_curve():
    history = {
        "total": [[20, 2.30102], [40, 0.40999], [60, 0.441]],
        "lr": [(20, 1e-4), (40, 1e-4), (60, 5e-5)],
    }
    assert curve_table(history) == (
        "        first   last  lowest  at iteration\n"
        "total   2.301  0.441    0.41            40\n"
        "lr     0.0001  5e-05   5e-05            60"
    )


def test_no_curves():
    assert curve_table({}) == ""
