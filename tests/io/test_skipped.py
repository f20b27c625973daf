import logging

from ovarnet.io.skipped import Skipped, printable


def test_cases_are_counted_and_told_in_one_line(caplog):
    skipped = Skipped()
    assert not skipped
    assert str(skipped) == "nothing"
    skipped.log("a.json")
    assert not caplog.records
    skipped.add("box has no area", "annotation 1")
    for name in ("b.jpg", "c.jpg"):
        skipped.add("image file missing", name)
    assert len(skipped) == 3
    assert skipped.counts == {"box has no area": 1, "image file missing": 2}
    line = "2 x image file missing (e.g. b.jpg); 1 x box has no area (e.g. annotation 1)"
    assert str(skipped) == line
    with caplog.at_level(logging.WARNING):
        skipped.log("a.json")
    assert [record.getMessage() for record in caplog.records] == [f"a.json: left out: {line}"]


def test_lost_images_are_those_left_out_whole():
    skipped = Skipped()
    for reason in ("box has no area", "image unreadable", "image of another size than recorded"):
        skipped.add(reason, "x")
    assert skipped.lost_images.counts == {
        "image unreadable": 1,
        "image of another size than recorded": 1,
    }


def test_half_characters_are_printed_as_escapes():
    assert printable("caf\udce9") == "caf\\udce9"
