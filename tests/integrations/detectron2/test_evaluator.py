# ruff: noqa: E402 (detectron2 is looked for first)
"""Our metrics as a DatasetEvaluator: the numbers of `ovarnet evaluate` on a world written down."""

import json

import pytest
from detectron2_sources import require_detectron2

require_detectron2()

from detectron2.data import DatasetCatalog, MetadataCatalog
from detectron2.evaluation import inference_on_dataset
from torch import nn
from written_model import FREE, GIVEN, IMAGES, WORDS

from ovarnet.errors import InputError
from ovarnet.evaluation.evaluate import evaluate_predictions
from ovarnet.integrations.detectron2.dataset_dicts import to_dataset_dict
from ovarnet.integrations.detectron2.evaluator import OvarEvaluator
from ovarnet.integrations.detectron2.instances import to_instances

ANSWERS = {"box-given": GIVEN, "box-free": FREE}


@pytest.fixture
def dataset():
    name = "test_written"
    DatasetCatalog.register(name, lambda: [to_dataset_dict(image, WORDS) for image in IMAGES])
    MetadataCatalog.get(name).set(vocabulary=WORDS)
    yield name
    DatasetCatalog.pop(name)
    MetadataCatalog.pop(name)


class Answers(nn.Module):
    """A detectron2 model that answers what is written down."""

    def __init__(self, setting, attributes=True):
        super().__init__()
        self.answers, self.attributes = ANSWERS[setting], attributes

    def forward(self, inputs):
        found = [to_instances(self.answers[one["file_name"]], (10, 100)) for one in inputs]
        if not self.attributes:
            for one in found:
                one.remove("attribute_scores")
                one.remove("category_scores")
        return [{"instances": one} for one in found]


def loader(dataset):
    """Batches of two images and of one, in another order than the dataset."""
    records = DatasetCatalog.get(dataset)
    return [[records[2], records[0]], [records[1]]]


@pytest.mark.parametrize("setting", ["box-given", "box-free"])
def test_numbers_are_those_of_ovarnet_evaluate(setting, dataset, tmp_path):
    evaluator = OvarEvaluator(dataset, setting=setting, output_dir=tmp_path)
    results = inference_on_dataset(Answers(setting), loader(dataset), evaluator)
    report = evaluate_predictions(
        {setting: [ANSWERS[setting][image.file] for image in IMAGES]}, WORDS, IMAGES
    )
    # in another order, as all protocols of a measure are one task
    values = sorted((value for metrics in results.values() for value in metrics.values()), key=str)
    expected = sorted((100 * row.value for row in report.rows), key=str)
    assert values == pytest.approx(expected, nan_ok=True)
    rows = json.loads((tmp_path / f"metrics-{setting}.json").read_text())["rows"]
    assert len(rows) == len(report.rows)


def test_results_have_a_task_for_each_measure(dataset):
    evaluator = OvarEvaluator(dataset)
    results = inference_on_dataset(Answers("box-free"), loader(dataset), evaluator)
    assert {"box-free COCO-OVD AP50", "box-free attribute mAP"} <= results.keys()
    assert {"all", "base", "novel"} <= results["box-free COCO-OVD AP50"].keys()
    assert "all (ovad: one-to-one, IoU >= 0.5)" in results["box-free attribute mAP"]


def test_a_detector_without_attributes_has_category_metrics_alone(dataset):
    evaluator = OvarEvaluator(dataset)
    model = Answers("box-free", attributes=False)
    results = inference_on_dataset(model, loader(dataset), evaluator)
    # 0.9 at (20, 30) is a dog and 0.8 at (0, 10) a cat: both right
    assert results["box-free COCO-OVD AP50"]["all"] > 0
    assert not any("attribute" in task for task in results)


def test_numbers_over_fewer_images_are_refused(dataset):
    evaluator = OvarEvaluator(dataset)
    evaluator.process(loader(dataset)[0], Answers("box-free")(loader(dataset)[0]))
    with pytest.raises(InputError, match="1 of 3 images have no output, such as 2"):
        evaluator.evaluate()
    evaluator.reset()
    with pytest.raises(InputError, match="3 of 3 images"):
        evaluator.evaluate()


def test_an_unknown_setting_is_refused(dataset):
    with pytest.raises(InputError, match="'boxes' is unknown; choose from box-given, box-free"):
        OvarEvaluator(dataset, setting="boxes")
