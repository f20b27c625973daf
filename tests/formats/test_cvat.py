"""CVAT's XML: round trip, an export as CVAT writes it, and refusals."""

from xml.etree import ElementTree

import pytest
from label_sets import annotated, boxes_of

from ovarnet.errors import InputError
from ovarnet.formats.cvat import read_cvat, write_cvat
from ovarnet.io.skipped import Skipped

EXPORT = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><job><labels>
    <label><name>mug</name><color>#fa3253</color><type>any</type><attributes>
      <attribute><name>color</name><mutable>False</mutable><input_type>select</input_type>
        <default_value>red</default_value><values>red\nblue</values></attribute>
    </attributes></label>
    <label><name>lamp</name></label>
  </labels></job></meta>
  <image id="0" name="shelf/a.png" subset="default" task_id="5" width="100" height="60">
    <box label="mug" occluded="0" xtl="10.00" ytl="20.50" xbr="50.25" ybr="60.00" z_order="0">
      <attribute name="color">blue</attribute>
      <attribute name="old">true</attribute>
      <attribute name="open">false</attribute>
      <attribute name="size">7</attribute>
      <attribute name="note">__undefined__</attribute>
    </box>
    <polygon label="mug" source="manual" occluded="0" points="1,2;3,4;5,6" z_order="0"></polygon>
    <box label="mug" xtl="0" ytl="0" xbr="9" ybr="9" rotation="30.5"></box>
    <box label="mug" xtl="0" ytl="0" xbr="9"></box>
  </image>
  <image id="1" name="b.png" width="50" height="50"></image>
</annotations>
"""


def test_round_trip_with_attributes(tmp_path):
    path = write_cvat(annotated(tmp_path / "images"), tmp_path, "val")
    skipped = Skipped()
    content = read_cvat(path, tmp_path / "images", skipped)
    assert str(skipped) == "nothing"
    assert boxes_of(content) == [
        ("a.png", [10, 20, 50, 60], "teddy bear", {"red & white": 1, "old": 0}),
        ("a.png", [0, 0, 100, 30], "mug", {}),
    ]
    assert list(content.categories) == ["mug", "teddy bear"]
    assert content.background_images == {"b.png"}


def test_the_file_lists_what_the_task_must_have(tmp_path):
    root = ElementTree.parse(write_cvat(annotated(tmp_path), tmp_path, "val")).getroot()
    assert root.findtext("version") == "1.1"
    labels = root.findall("meta/task/labels/label")
    assert [label.findtext("name") for label in labels] == ["mug", "teddy bear"]
    attribute = labels[0].find("attributes/attribute")
    assert attribute.findtext("name") == "red & white"
    assert attribute.findtext("input_type") == "checkbox"


def test_an_export_of_cvat(tmp_path):
    (tmp_path / "annotations.xml").write_text(EXPORT)
    skipped = Skipped()
    content = read_cvat(tmp_path / "annotations.xml", None, skipped)
    assert boxes_of(content) == [
        ("shelf/a.png", [10, 20.5, 50.25, 60], "mug", {"blue": 1, "old": 1, "open": 0})
    ]
    assert list(content.categories) == ["mug", "lamp"]
    assert skipped.counts == {
        "attribute without a word": 1,
        "shape that is no upright box": 2,
        "box without a label or four finite numbers": 1,
    }


def test_refusals(tmp_path):
    file = tmp_path / "a.xml"
    for text, message in (
        ("<annotation/>", "no file of images of CVAT"),
        ("<annotations><track/></annotations>", "no file of images of CVAT"),
        ("<annotations>", "not valid XML"),
        ("<!DOCTYPE x><annotations/>", "has a document type"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=message):
            read_cvat(file, None, Skipped())
    file.write_text('<annotations><image name="a.png" width="1" height="1"/></annotations>')
    skipped = Skipped()
    (tmp_path / "images").mkdir()
    assert read_cvat(file, tmp_path / "images", skipped).images == {}
    assert skipped.items == {"image file missing": ["a.png"]}
