"""The settings of the one-stage model."""

import pytest
from refusals import accepted, refusal

from ovarnet.config import OvarnetDesign
from ovarnet.errors import InputError


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("design.channels=0", "design.channels is 0; it must be from 1 to 8,192"),
        (
            "design.rpn_pre_nms=[-1,-1]",
            "design.rpn_pre_nms is (-1, -1); it must be 2 values, each ",
        ),
        ("design.finest_stride=5", "design.finest_stride is 5; it must be one of 4, 8"),
        ("design.head=mean", "design.head is 'mean'; it must be one of attention, average, clip"),
        ("design.anchor_sizes=[]", "design.anchor_sizes is []; it must be 1 to 100 values"),
        ("design.dropout=1", "design.dropout is 1.0; it must be from 0 to less than 1"),
        ("design.box_stage_width=-1", "design.box_stage_width is -1; it must be from 0 to 8,192"),
        ("design.heads=0", "design.heads is 0; it must be from 1 to 1,024"),
        (
            "distillation.kind=hints",
            "distillation.kind is 'hints'; it must be one of probability, ",
        ),
        (f"proposals=['{'x' * 300}']", "proposals is ['xxxx"),
        ("regions=0", "roi_batch_size is 0; it must be from 1 to 100,000"),
        ("anchors=-1", "rpn_batch_size is -1; it must be from 1 to 100,000"),
        ("captions_per_batch=-1", "captions_per_batch is -1; it must be from 0 to 65,536"),
        (
            "design.width=100",
            "design.width is 100; head attention needs a multiple of 8, the value",
        ),
    ],
)
def test_refusals(override, message):
    assert refusal("ovarnet", override).startswith(message)


@pytest.mark.parametrize(
    ("design", "message"),
    [
        ({"short_side": (9, 8)}, r"design\.short_side is 9 to 8; the smaller one comes first"),
        ({"roi_size": 7}, r"design\.roi_size is 7; patch merging needs an even number"),
        ({"width": 4, "heads": 3}, r"design\.width is 4; head attention needs a multiple of 3"),
        (
            {"width": 4, "head": "average"},
            r"design\.width is 4; head average needs a multiple of 8$",
        ),
    ],
)
def test_settings_of_the_design_that_do_not_go_together(design, message):
    with pytest.raises(InputError, match=message):
        OvarnetDesign(**design)


def test_head_clip_has_no_such_needs():
    design = accepted("ovarnet", "design.head=clip", "design.width=7", "design.roi_size=7").design
    assert (design.width, design.roi_size) == (7, 7)
