# ruff: noqa: E402 (detectron2 is looked for first)
"""detectron2's calling convention, around a model whose boxes and scores are known."""

import pytest
import torch
from detectron2_sources import require_detectron2

require_detectron2()

from detectron2.config import get_cfg
from detectron2.structures import Boxes, Instances
from fake_model import FakeModel

from ovarnet.errors import InputError
from ovarnet.integrations.detectron2.config import add_ovarnet_config
from ovarnet.integrations.detectron2.meta_arch import (
    GivenBoxes,
    RegionMetaArch,
    post_processing_of,
    training_data,
)
from ovarnet.modeling.post_processing import PROTOCOL
from ovarnet.vocabulary import Vocabulary


class FakeArch(RegionMetaArch):
    def __init__(self, input_format="RGB", write=None, **post_processing):
        super().__init__(
            input_format=input_format, post_processing=PROTOCOL | post_processing, write=write
        )
        self.model = FakeModel()

    @property
    def region_model(self):
        return self.model

    def losses(self, batched_inputs):
        return {"boxes": torch.tensor(2.0)}


def image(rows, columns, **more):
    return {"image": torch.zeros(3, rows, columns, dtype=torch.uint8), **more}


def test_boxes_are_of_the_original_image():
    """Found in 20 x 30 pixels, an image of 40 x 90."""
    (output,) = FakeArch().eval()([image(20, 30, height=40, width=90)])
    instances = output["instances"]
    assert instances.image_size == (40, 90)
    assert instances.pred_boxes.tensor.tolist() == [[0, 0, 90, 40], [0, 0, 45, 40]]
    # logits of category w are 2 - w and 0 - w
    expected = torch.sigmoid(torch.tensor([[2.0, 1], [0, -1]]))
    assert torch.allclose(instances.category_scores, expected)
    assert torch.allclose(instances.scores, (torch.tensor([0.9, 0.1]) * expected[:, 0]).sqrt())
    assert instances.attribute_scores.shape == (2, 3)


def test_images_of_a_batch_keep_their_own_size_without_one_being_given():
    sizes = [one["instances"].image_size for one in FakeArch().eval()([image(20, 30), image(8, 9)])]
    assert sizes == [(20, 30), (8, 9)]


def test_a_vocabulary_replaces_that_of_the_model():
    arch = FakeArch().eval()
    arch([image(20, 30)])
    arch.set_vocabulary(Vocabulary.of([], ["wet"]))
    instances = arch([image(20, 30)])[0]["instances"]
    assert instances.attribute_scores.shape == (2, 1)
    assert instances.scores.tolist() == pytest.approx([0.9, 0.1])


def test_words_are_encoded_once_and_again_when_the_weights_may_have_changed(monkeypatch):
    arch, encoded = FakeArch().eval(), []
    encode = arch.model.classifier.encode_vocabulary
    monkeypatch.setattr(
        arch.model.classifier, "encode_vocabulary", lambda words: encoded.append(1) or encode(words)
    )
    for change in (
        lambda: None,
        lambda: None,
        lambda: arch.train().eval(),
        lambda: arch.load_state_dict(arch.state_dict()),
        lambda: arch.to("cpu"),
    ):
        change()
        arch([image(20, 30)])
    assert len(encoded) == 4


def test_given_boxes_all_come_back_in_their_order():
    boxes = torch.tensor([[5.0, 5, 9, 9], [0, 0, 30, 20], [5, 5, 9, 9]])
    given = image(20, 30, height=40, width=60)
    given["instances"] = Instances((20, 30), gt_boxes=Boxes(boxes))
    (output,) = GivenBoxes(FakeArch(threshold=0.99)).eval()([given])
    assert torch.equal(output["instances"].pred_boxes.tensor, 2 * boxes)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("input_format", ["RGB", "BGR"])
def test_channels_are_brought_to_rgb(input_format, dtype, monkeypatch):
    arch, seen = FakeArch(input_format).eval(), []
    forward = arch.model.forward
    monkeypatch.setattr(
        arch.model,
        "forward",
        lambda images, *rest: seen.append(images[0][:, 0, 0].tolist()) or forward(images, *rest),
    )
    red = image(20, 30)
    red["image"] = red["image"].to(dtype)
    red["image"][0 if input_format == "RGB" else 2] = 255
    arch([red])
    assert seen == [[1, 0, 0]]


def test_losses_have_the_names_that_detectron2_prints():
    assert FakeArch().train()([]) == {"loss_boxes": 2.0}


def test_a_new_model_is_exported_as_its_stage_writes_it(tmp_path):
    arch = FakeArch(write=lambda folder, model: folder / type(model).__name__)
    assert arch.export(str(tmp_path)) == tmp_path / "FakeArch"


def test_detectron2s_keys_say_which_boxes_are_returned():
    cfg = get_cfg()
    assert post_processing_of(cfg) == {
        "threshold": 0.05,
        "nms_iou": 0.5,
        "limit": 100,
        "class_agnostic": False,
        "containment": 1.0,
    }


def test_training_data_is_read_where_a_dataset_is_named():
    cfg = get_cfg()
    add_ovarnet_config(cfg)
    assert training_data(cfg) is None
    cfg.DATASETS.TRAIN = ("nowhere",)
    with pytest.raises(InputError, match="no dataset 'nowhere'"):
        training_data(cfg)
