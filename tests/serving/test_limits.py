import pytest

from ovarnet.errors import InputError
from ovarnet.serving.limits import Limits


def test_a_bound_of_nothing_is_refused():
    assert Limits(pixels=1).pixels == 1
    with pytest.raises(InputError, match="waiting is 0; the limits of a server must be above 0"):
        Limits(waiting=0)
