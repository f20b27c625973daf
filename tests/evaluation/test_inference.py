"""A model run over a dataset."""

import numpy as np
import torch
from PIL import Image
from written_model import FREE, GIVEN, IMAGES, WORDS, WrittenModel, spans

from ovarnet.evaluation import inference
from ovarnet.evaluation.inference import detect_all, propose_all, proposer_of
from ovarnet.structures import Annotations, Proposals


def test_the_model_is_queried_with_all_words_and_the_annotated_boxes(monkeypatch):
    monkeypatch.setattr(inference, "BATCH_IMAGES", 2)
    model = WrittenModel()
    pairs = list(detect_all(model, WORDS, IMAGES, box_given=True, progress=False))
    assert [(image.image_id, found) for image, found in pairs] == [
        (image.image_id, GIVEN[image.file]) for image in IMAGES
    ]
    words = (["dog", "cat"], ["big", "red", "odd"])
    assert [query[:3] for query in model.queries] == [
        (["1.jpg", "2.jpg"], *words),
        (["3.jpg"], *words),
    ]
    given = [boxes.tolist() for *_, batch in model.queries for boxes in batch]
    assert given == [image.boxes.tolist() for image in IMAGES]


def test_without_boxes_the_model_finds_them():
    model = WrittenModel()
    found = [
        found for _, found in detect_all(model, WORDS, IMAGES, box_given=False, progress=False)
    ]
    assert found == list(FREE.values())
    assert [boxes for *_, boxes in model.queries] == [None]


class Proposer:
    """Proposes one box in the brightness of the image's first pixel, 0 to 1."""

    def propose(self, images, names):
        assert [name[-4:] for name in names] == [".png"]
        (pixels,) = images
        assert pixels.shape == (3, 10, 100)
        return [Proposals(spans((0, 10)), pixels[0, 0, :1])]


class Proposing:
    def __init__(self, model):
        self.model, self.device = model, "cpu"


def test_proposals_of_the_models_proposer_or_of_the_model_itself(tmp_path):
    Image.fromarray(np.full((10, 100, 3), 51, np.uint8)).save(tmp_path / "a.png")
    image = Annotations(str(tmp_path / "a.png"), "a", 10, 100, spans(), [], torch.zeros(0, 0))
    for owner in (Proposer(), type("TwoStages", (), {"proposer": Proposer()})()):
        predictor = Proposing(owner)
        assert isinstance(proposer_of(predictor), Proposer)
        (proposals,) = propose_all(predictor, [image], progress=False)
        assert proposals.boxes.tolist() == [[0, 0, 10, 10]]
        assert abs(float(proposals.scores[0]) - 0.2) < 1e-6
