"""The rows of the CLIP-Attr table."""

from pathlib import Path

from ovarnet.config import load_config
from ovarnet.scenes.ablations.clip_attr import ROWS, STEP_I, STEP_II, Sizes, write_table

CONFIGS = Path(__file__).parents[3] / "configs" / "scenes"


def test_every_row_has_a_name_of_its_own():
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    assert {STEP_I, STEP_II} <= set(names)
    assert Sizes().quick().seeds == 1


def test_every_change_is_known_to_the_config_of_its_stage():
    configs = {1: "clip_attr.yaml", 2: "clip_attr_captions.yaml"}
    found = {row.name: load_config(CONFIGS / configs[row.step], list(row.changes)) for row in ROWS}
    assert found[STEP_I].lr_multipliers.image_tower == 0
    assert found["step I, image tower tuned freely"].lr_multipliers.image_tower == 0.25
    assert found["step I, without bias"].lr_multipliers.bias == 0
    assert found[STEP_II].loss_weights.mentioned_attributes == 2
    assert found["step II, without base losses"].base_batch_size == 0


def test_the_table_has_the_main_columns_and_the_parent_types(tmp_path):
    result = {
        f"{kind}/{group}": 50.0
        for kind in ("attributes", "categories")
        for group in ("base", "novel", "all")
    }
    text = write_table({"a row": [result | {"attributes/color": 25.0}]}, tmp_path)
    assert (tmp_path / "table.md").read_text() == text
    assert "| a row | 50.0 | 50.0 | 50.0 | 50.0 | 50.0 | 50.0 |" in text
    assert "| | mAP color |\n|---|---|\n| a row | 25.0 |" in text
