"""The model card states what the model and the evaluation files say, and nothing else."""

import pytest
from huggingface_hub import ModelCardData

from ovarnet.build import load_model
from ovarnet.build.model_card import card_data, card_text, model_facts
from ovarnet.errors import InputError
from ovarnet.evaluation.report import Report, Row


@pytest.fixture(scope="module")
def model():
    return load_model("scenes-clip-attr", device="cpu")


def test_facts_are_the_models_own(model):
    base = sum(word.seen for word in model.vocabulary.categories)
    facts = model_facts(model)
    assert facts["text tower"] == facts["image tower"] == "ovarnet-scenes"
    assert facts["boxes"] == model.proposer.provenance
    assert facts["prompts"] == "learned, 4 vectors"
    assert facts["categories of the training"] == (
        f"{len(model.vocabulary.categories)}, of which {base} were supervised (base words)"
    )
    assert facts["threshold of a detection"] == "0.3"
    assert facts["parameters"] == f"{sum(p.numel() for p in model.parameters()):,}"

    single = model_facts(load_model("scenes", device="cpu"))
    assert single["image backbone"] == "ovarnet-scenes"
    assert single["boxes"] == "its own region proposal network"


def test_numbers_come_from_evaluation_files_alone(model, tmp_path):
    assert "No evaluation was given for this card." in card_text(model)
    report = Report({"model": "mine", "dataset": "voc"})
    report.rows = [
        Row("box-free", "AP50", "coco", "novel", 0.1234, None, 5),
        Row("box-given", "attribute mAP", "vaw", "all", float("nan"), 0.25, 7),
    ]
    report.write(tmp_path / "metrics.json")
    text = card_text(model, evaluations=[tmp_path / "metrics.json"], notes=" Small.\n")
    assert "No evaluation" not in text
    assert "model mine, dataset voc. Values and chance levels in %." in text
    assert "| box-free | AP50 | coco | novel | 12.3 |  | 5 |" in text
    assert "| box-given | attribute mAP | vaw | all |  | 25.0 | 7 |" in text
    assert text.endswith("## Notes\n\nSmall.\n")


def test_the_card_names_the_repository(model):
    text = card_text(model, repo_id="shop/mugs")
    assert text.startswith("# mugs\n")
    assert 'model = ovarnet.load("hf:shop/mugs")' in text


def test_metadata():
    data = card_data(ModelCardData(library_name="ovarnet", tags=["model_hub_mixin"]), "mit")
    assert (data.library_name, data.license) == ("ovarnet", "mit")
    assert {"model_hub_mixin", "attributes"} <= set(data.tags)
    assert card_data(ModelCardData()).license is None


def test_other_files_are_refused(model, tmp_path):
    for content, message in (
        ("{}", "no results of ovarnet evaluate; give its metrics.json"),
        ('{"about": {}, "rows": [{"value": 1}]}', "rows of another form"),
        (
            '{"about": {}, "rows": [{"setting": "a", "measure": "b", "protocol": "c", "group": "d",'
            ' "value": "high", "chance": null, "of": 1}]}',
            "rows of another form",
        ),
    ):
        (tmp_path / "m.json").write_text(content)
        with pytest.raises(InputError, match=message):
            card_text(model, evaluations=[tmp_path / "m.json"])
