def test_published_split_sizes():
    from ovarnet.splits import COCO_BASE, COCO_EXTRA_15, COCO_NOVEL_17, VAW_NOVEL_79

    assert [len(names) for names in (COCO_BASE, COCO_NOVEL_17, COCO_EXTRA_15, VAW_NOVEL_79)] == [
        48,
        17,
        15,
        79,
    ]
    assert len(COCO_BASE | COCO_NOVEL_17 | COCO_EXTRA_15) == 80
