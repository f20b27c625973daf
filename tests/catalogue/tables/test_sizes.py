"""Seeds and rows that are asked for."""

from ovarnet.catalogue.tables.sizes import FULL, QUICK


def test_what_is_not_given_stays():
    assert FULL.chosen(None, None) == FULL
    chosen = QUICK.chosen(2, ["guided"])
    assert (chosen.seeds, chosen.rows, chosen.products) == (2, ["guided"], QUICK.products)


def test_rows_by_a_part_of_their_name():
    chosen = FULL.chosen(None, ["guided", "oracle"])
    assert chosen.wants("7 tasks, guided masks")
    assert not chosen.wants("7 tasks, random masks")
    assert FULL.wants("anything")
