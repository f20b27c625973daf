"""Who modifies whom."""

from ovarnet.captions.relations import Relations


def test_links_are_added_once():
    found = Relations()
    found.link(0, [1, 2])
    found.link(0, [2, 3])
    assert found.links == {0: [1, 2, 3]}


def test_a_modifier_without_a_noun_is_linked_to_none():
    found = Relations()
    found.link(0, [])
    assert found.links == {0: []}


def test_a_denied_modifier_has_no_link():
    found = Relations()
    found.link(0, [1], denied=True)
    assert found.links == {}
    assert found.denied == {0}
