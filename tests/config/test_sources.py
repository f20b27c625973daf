"""Settings that stages share."""

import pytest
from refusals import accepted, refusal


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("detection.dataset=''", "detection.dataset is ''; it must be text that is not empty"),
        ("detection.root=''", "detection.root is ''; it must be a path"),
        ("detection.split=" + "x" * 300, "detection.split is 'xxxx"),
        ("clip.name=''", "clip.name is ''; it must be text that is not empty"),
        ("clip.pretrained=''", "clip.pretrained is ''; it must be a path"),
        ("seed=4294967296", "seed is 4294967296; it must be from 0 to 4,294,967,295"),
        ("limit=0", "limit is 0; it must be from 1 to 2,147,483,648"),
        ("image_cache_mb=-1", "image_cache_mb is -1; it must be from 0 to 16,777,216"),
        ("detection_share=-0.1", "detection_share is -0.1; it must be from 0 to 1"),
        ("tower_regularisation=-1", "tower_regularisation is -1.0; it must be from 0 to 1,000,000"),
    ],
)
def test_values_out_of_range(override, message):
    if override.startswith("clip.pretrained"):
        assert refusal("clip", override).startswith(message)
    else:
        assert refusal("clip_attr", override).startswith(message)


def test_all_images_and_random_weights_are_null():
    config = accepted("clip", "limit=null", "clip.pretrained=null")
    assert (config.limit, config.clip.pretrained) == (None, None)
