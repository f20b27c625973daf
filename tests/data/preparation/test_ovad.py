from dataset_files import coco_box, prepare, write_json


def test_ovad_counts(tmp_path, capsys):
    attributes = [
        {
            "id": 0,
            "name": "color:red",
            "type": "color",
            "parent_type": "color",
            "is_has_att": "is",
            "freq_set": "head",
        },
        {
            "id": 1,
            "name": "state:wet/damp",
            "type": "state",
            "parent_type": "state",
            "is_has_att": "is",
            "freq_set": "tail",
        },
    ]
    write_json(
        tmp_path / "ovad2000.json",
        {
            "images": [{"id": 139, "width": 60, "height": 40, "file_name": "000000000139.jpg"}],
            "attributes": attributes,
            "categories": [
                {
                    "supercategory": "animal",
                    "isthing": 1,
                    "id": 18,
                    "name": "dog",
                    "ov_set": "novel",
                }
            ],
            "annotations": [
                {**coco_box(1, 139, 18), "att_vec": [1, -1]},
                {**coco_box(2, 139, 18), "att_vec": [1, 0, 0]},
            ],
        },
    )
    code, out = prepare(capsys, "ovad", "--root", tmp_path)
    assert code == 2
    assert "missing" in out
    assert "1 objects (the release has about 14,300), 1 positive and 0 negative labels" in out
    assert "1 x att_vec is not 2 values" in out
    assert "note     1 images; the full release has 2,000" in out
