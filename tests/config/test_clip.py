"""The settings of the stage "clip"."""

import pytest
from refusals import refusal

from ovarnet.config import ClipTraining, build_settings


def test_defaults_are_those_of_the_generated_world():
    config = build_settings(ClipTraining, {"output": "o", "root": "r", "clip": {"name": "n"}}, "c")
    assert (config.captions, config.images) == ("annotations/captions_photos.json", "photos")
    assert config.image_cache_mb == 4096
    assert not config.bag_of_words_init


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("scale_start=0", "scale_start is 0, but it is no setting any more: it is always 14.3"),
        ("output=''", "output is ''; it must be a path, not empty, of names of at most 255 bytes"),
        ("captions=''", "captions is ''; it must be a path"),
        ("bag_of_words_init=2", "bag_of_words_init is 2; it must be true or false"),
        ("validation.captions=''", "validation.captions is ''; it must be a path"),
        # a corpus of captions has no splits
        ("validation.split=val", "unknown key 'validation.split'; did you mean 'validation."),
    ],
)
def test_refusals(override, message):
    assert refusal("clip", override).startswith(message)
