from ovarnet.scenes.world.silhouettes import GLYPH, SIDES, silhouette
from ovarnet.scenes.world.words import (
    ATTRIBUTE_NAMES,
    ATTRIBUTES,
    CATEGORIES,
    NOVEL_ATTRIBUTES,
    PARENT_OF,
    vocabulary,
)


def test_sizes_of_the_word_lists():
    assert (
        len(CATEGORIES)
        == len({c.name for c in CATEGORIES})
        == len({c.glyph for c in CATEGORIES})
        == 40
    )
    assert len(ATTRIBUTE_NAMES) == len(set(ATTRIBUTE_NAMES)) == 31
    assert len(ATTRIBUTES) == 7


def test_split_is_about_three_to_one_and_spread_over_the_types():
    assert sum(not c.seen for c in CATEGORIES) == 10
    assert {c.parent for c in CATEGORIES} == {c.parent for c in CATEGORIES if not c.seen}
    assert len(NOVEL_ATTRIBUTES) == 8
    assert set(ATTRIBUTE_NAMES) >= NOVEL_ATTRIBUTES
    for words in ATTRIBUTES.values():
        assert not NOVEL_ATTRIBUTES.issuperset(words), words
    assert {PARENT_OF[word] for word in NOVEL_ATTRIBUTES} == set(ATTRIBUTES) - {"border"}


def test_vocabulary_holds_the_same_words_and_split():
    words = vocabulary()
    assert words.category_names == [c.name for c in CATEGORIES]
    assert words.attribute_names == list(ATTRIBUTE_NAMES)
    assert words.category_seen.tolist() == [c.seen for c in CATEGORIES]
    assert {w.name for w in words.attributes if not w.seen} == NOVEL_ATTRIBUTES
    assert words.categories[words.category_index["bird"]].strings == ("bird", "dove")
    assert words.categories[words.category_index["truck"]].strings == ("truck",)


def test_no_string_means_two_things():
    words = vocabulary()
    strings = [s for word in (*words.categories, *words.attributes) for s in word.strings]
    assert len(strings) == len(set(strings))


def test_every_category_has_its_own_centred_silhouette():
    drawn = set()
    for category in CATEGORIES:
        shape = silhouette(category, SIDES[-1], 14.0)
        body = shape.distance > 0
        assert max(shape.extent) == GLYPH / 2
        assert 0.11 * GLYPH**2 < body.sum() < 0.73 * GLYPH**2, (
            category.name
        )  # a pixel is 7/6 of a canvas unit wide
        ys, xs = body.nonzero()
        height, width = body.shape
        assert abs((xs.min() + xs.max() + 1) / 2 - width / 2) <= 1
        assert abs((ys.min() + ys.max() + 1) / 2 - height / 2) <= 1
        drawn.add(body.tobytes())
    assert len(drawn) == 40
