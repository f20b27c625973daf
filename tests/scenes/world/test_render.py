import numpy as np
import pytest

from ovarnet.scenes.world.render import LEAST_VISIBLE, SIDES, render_photo, render_scene
from ovarnet.scenes.world.things import SIZES


@pytest.fixture(scope="module")
def scenes():
    return [render_scene(3, "val", index) for index in range(60)]


def test_same_seed_same_bytes_whatever_was_drawn_before():
    first = render_scene(7, "val", 5)
    render_scene(8, "test", 1)
    again = render_scene(7, "val", 5)
    assert np.array_equal(first.image, again.image)
    assert first.objects == again.objects


@pytest.mark.parametrize("other", [(7, "val", 6), (7, "test", 5), (8, "val", 5)])
def test_seed_split_and_index_each_change_the_scene(other):
    assert render_scene(7, "val", 5).image.tobytes() != render_scene(*other).image.tobytes()


def test_photos_are_deterministic_and_differ():
    assert np.array_equal(render_photo(0, 4).image, render_photo(0, 4).image)
    assert render_photo(0, 4).image.tobytes() != render_photo(0, 5).image.tobytes()


def test_sizes_and_counts(scenes):
    shapes = [scene.image.shape[:2] for scene in scenes]
    assert all(SIDES[0] <= side < SIDES[1] for shape in shapes for side in shape)
    assert sum(h != w for h, w in shapes) > 50
    counts = [len(scene.objects) for scene in scenes]
    assert min(counts) >= 1
    assert max(counts) <= 6
    assert max(counts) >= 4
    assert all(scene.image.dtype == np.uint8 and scene.image.shape[2] == 3 for scene in scenes)


def test_boxes_are_tight_around_what_is_seen(scenes):
    for scene in scenes:
        height, width = scene.owner.shape
        for index, item in enumerate(scene.objects):
            ys, xs = np.nonzero(scene.owner == index)
            assert item.box == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
            assert 0 <= item.box[0] < item.box[2] <= width
            assert 0 <= item.box[1] < item.box[3] <= height
            assert LEAST_VISIBLE <= item.visible <= 1


def test_size_words_follow_the_size(scenes):
    for item in (item for scene in scenes for item in scene.objects):
        low, high = SIZES[item.thing.size]
        assert low <= item.thing.length <= high
        assert item.thing.words["size"] == (
            () if item.thing.size == "medium" else (item.thing.size,)
        )


def test_photos_show_their_object_large_and_keep_the_size_cue():
    longer = {"small": [], "large": []}
    for index in range(80):
        scene = render_photo(1, index)
        main = scene.objects[0]
        height, width = scene.image.shape[:2]
        x1, y1, x2, y2 = main.box
        assert x2 - x1 >= 0.5 * width
        assert y2 - y1 >= 0.5 * height
        assert main.visible >= LEAST_VISIBLE
        for other in scene.objects[1:]:
            assert other.visible <= 0.6
        if main.thing.size in longer:
            longer[main.thing.size].append(max(height, width))
    assert max(longer["small"]) < min(longer["large"])


@pytest.mark.slow
def test_train_shows_fewer_novel_objects_than_the_evaluation():
    def share(split):
        things = [
            item.thing for index in range(120) for item in render_scene(0, split, index).objects
        ]
        return np.mean([not thing.category.seen for thing in things])

    assert 0.02 < share("train") < 0.18 < share("val") < 0.35
