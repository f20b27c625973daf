import pytest

from ovarnet.errors import InputError, did_you_mean, errors_prefixed


def test_a_message_is_one_line():
    assert str(InputError("a\n  b\tc")) == "a b c"
    assert isinstance(InputError("x"), ValueError)


def test_the_file_goes_before_the_message_and_other_errors_pass():
    def fail(error):
        raise error

    with (
        pytest.raises(InputError, match=r"^a\.json: word 'x' is wrong$"),
        errors_prefixed("a.json"),
    ):
        fail(InputError("word 'x' is wrong"))
    with pytest.raises(KeyError), errors_prefixed("a.json"):
        fail(KeyError("x"))


def test_the_nearest_name_is_suggested():
    assert did_you_mean("chiar", ["mug", "chair"]) == " (did you mean 'chair'?)"
    assert did_you_mean("zebra", ["mug", "chair"]) == ""
    assert did_you_mean(3, ["mug"]) == ""
