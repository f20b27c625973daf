"""The loop and its recorder are tested with the figure of the curves."""

import pytest


@pytest.fixture(autouse=True)
def without_figure_of_curves():
    """Runs draw it here."""
