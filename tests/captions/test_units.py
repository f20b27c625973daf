"""A caption as letters, and the words whose letter depends on their neighbours."""

import pytest

from ovarnet.captions.matcher import Term
from ovarnet.captions.units import as_units


def kinds(text, *terms):
    return as_units(text.split(), [Term(*term) for term in terms]).kinds


def test_a_term_of_several_words_is_one_unit():
    units = as_units(
        ["a", "light", "blue", "fire", "hydrant"],
        [Term(1, 3, None, ("light blue",)), Term(3, 5, "fire hydrant", ())],
    )
    assert units.kinds == "DAn"
    assert units.words == ["a", "blue", "hydrant"]
    assert (units.first, units.last) == ([0, 1, 3], [0, 2, 4])


def test_no_words():
    assert as_units([], []) == ("", [], [], [])


@pytest.mark.parametrize(
    ("term", "kind"),
    [
        (Term(0, 1, None, ("orange",)), "A"),
        (Term(0, 1, "orange", ("orange",)), "K"),
        (Term(0, 1, "orange", ()), "n"),
    ],
)
def test_kind_of_a_term(term, kind):
    assert as_units(["orange"], [term]).kinds == kind


def test_a_participle_and_a_material_of_the_vocabulary():
    assert kinds("parked brick", (0, 1, None, ("parked",)), (1, 2, None, ("brick",))) == "EM"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("that dog", "Dn"),
        ("dog that is", "nWB"),
        ("dog that stops", "nWs"),
        ("dogs that stop", "nWv"),
        ("in that stop", "PDv"),
        ("dog that 's wet", "nWBA"),
        ("it 's", "OB"),
        ("the dog 's", "DnS"),
        ("anything but red", "OZn"),
        ("any old color but red", "DAnZn"),
        ("a dog but red", "DnCn"),
        ("other than red", "RZn"),
        ("none of them", "RZO"),
        ("no longer wet", "RXA"),
        ("not only wet", "RRA"),
        ("not wet", "XA"),
        ("a back", "Dn"),
        ("the back door", "DAn"),
        ("walk back", "vR"),
    ],
)
def test_context(text, expected):
    assert kinds(text) == expected
