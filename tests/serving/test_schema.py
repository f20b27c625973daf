import pytest
from pydantic import ValidationError

from ovarnet.serving.schema import DetectQuery, FindQuery


@pytest.mark.parametrize(
    ("fields", "looks"),
    [
        ({}, True),
        ({"boxes": [(0, 0, 1, 1)]}, False),
        ({"boxes": [(0, 0, 1, 1)], "find_boxes": True}, True),
        ({"find_boxes": True}, True),
    ],
)
def test_boxes_are_found_unless_some_are_given(fields, looks):
    assert DetectQuery(**fields).looks_for_boxes is looks


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (DetectQuery, {"find_boxes": False}, "there are no boxes; give boxes to score"),
        (DetectQuery, {"categories": ["x"] * 501}, "at most 500"),
        (DetectQuery, {"boxes": [(0, 0, 1, 1)] * 101}, "at most 100"),
        (DetectQuery, {"boxes": [(0, 0, 1, float("nan"))]}, "finite"),
        (DetectQuery, {"threshold": 1.1}, "less than or equal to 1"),
        (DetectQuery, {"wrods": []}, "not permitted"),
        (FindQuery, {}, "required"),
        (FindQuery, {"phrase": "x" * 301}, "at most 300"),
    ],
)
def test_what_is_refused(kind, fields, message):
    with pytest.raises(ValidationError, match=message):
        kind(**fields)
