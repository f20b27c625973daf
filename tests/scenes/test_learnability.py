import numpy as np
import pytest
import torch

from ovarnet.cli.main import main
from ovarnet.errors import InputError
from ovarnet.scenes.learnability import (
    CROP,
    WordResult,
    _crop,
    _word_result,
    measure_learnability,
    render_crops,
)
from ovarnet.scenes.world.render import render_scene
from ovarnet.scenes.world.words import ATTRIBUTE_NAMES, CATEGORIES
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN


def test_crops_carry_the_labels_of_their_objects():
    crops = render_crops(0, "val", 5)
    objects = [o for i in range(5) for o in render_scene(0, "val", i).objects]
    assert crops.pixels.shape == (len(objects), 3, CROP, CROP)
    for item, category, labels in zip(
        objects, crops.categories.tolist(), crops.labels.tolist(), strict=True
    ):
        assert CATEGORIES[category] is item.thing.category
        assert {
            w for w, x in zip(ATTRIBUTE_NAMES, labels, strict=True) if x == POSITIVE
        } == item.thing.attributes
        unknown = {w for w, x in zip(ATTRIBUTE_NAMES, labels, strict=True) if x == UNKNOWN}
        assert unknown == (
            set() if item.thing.category.has_pose else {"upright", "tilted", "upside-down"}
        )


def test_a_crop_keeps_the_aspect_and_is_centred():
    image = np.zeros((80, 100, 3), np.uint8)
    image[30:40, 20:60] = 255  # 40 wide, 10 high
    rows, columns = np.nonzero(_crop(image, (20, 30, 60, 40))[..., 0] > 200)
    width, height = columns.max() - columns.min() + 1, rows.max() - rows.min() + 1
    assert width == pytest.approx(CROP / 1.1, abs=2)
    assert height == pytest.approx(CROP / 4.4, abs=2)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(CROP / 2, abs=1)


def test_unknown_labels_count_neither_for_the_precision_nor_for_chance():
    labels = np.array([POSITIVE, NEGATIVE, POSITIVE, NEGATIVE, UNKNOWN])
    result = _word_result(
        "attribute", "color", "red", False, labels, np.array([0.9, 0.8, 0.7, 0.1, 1.0])
    )
    assert result.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert result.chance == 0.5
    assert result.count == 4
    assert result.margin == pytest.approx(5 / 6 - 1 / 2)


def test_too_few_scenes_for_a_batch_and_outputs_that_cannot_be(tmp_path, capsys):
    with pytest.raises(
        InputError,
        match=r"the scenes hold \d\d objects, fewer than a batch of 64; take more scenes",
    ):
        measure_learnability(0, scenes=8, epochs=1)
    assert main(["learnability", "--output", str(tmp_path)]) == 2
    assert f"{tmp_path}: is a folder; --output needs a file" in capsys.readouterr().err


@pytest.mark.slow
def test_every_word_gets_a_result_and_colours_are_learned_within_seconds():
    threads = torch.get_num_threads()
    torch.set_num_threads(
        1
    )  # several wait for one another where the machine is busy: minutes instead of seconds
    results = measure_learnability(0, scenes=60, epochs=8)
    torch.set_num_threads(threads)
    assert [r.word for r in results] == [c.name for c in CATEGORIES] + list(ATTRIBUTE_NAMES)
    assert all(isinstance(r, WordResult) and 0 <= r.chance < 1 for r in results)
    colors = [r.margin for r in results if r.parent == "color"]
    assert sum(colors) / len(colors) > 0.15, (
        "0.22 to 0.35 for three seeds; 0.02 to 0.06 after one pass over the crops"
    )
