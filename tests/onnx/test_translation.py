"""Our operators in ONNX Runtime."""

import onnxruntime
import torch
from exporter import needs_exporter
from torch import nn
from torch.export import Dim

from ovarnet.onnx.box_rows import UNUSED, kept_by_nms
from ovarnet.onnx.translation import TRANSLATIONS


class Suppress(nn.Module):
    def forward(self, boxes, scores):
        return kept_by_nms(boxes, scores, 0.5)


def inputs(images, count):
    torch.manual_seed(images)
    corners = torch.rand(images, count, 2) * 20
    boxes = torch.cat([corners, corners + 5 + 10 * torch.rand(images, count, 2)], dim=2)
    scores = torch.rand(images, count)
    return boxes, torch.where(scores < 0.2, UNUSED, scores)


@needs_exporter
def test_nms_of_any_number_of_images_and_boxes(tmp_path):
    path, (images, rows) = tmp_path / "nms.onnx", (Dim("images", min=1), Dim("rows", min=1))
    torch.onnx.export(
        Suppress().eval(),
        inputs(2, 5),
        path,
        dynamic_shapes={"boxes": {0: images, 1: rows}, "scores": {0: images, 1: rows}},
        custom_translation_table=TRANSLATIONS,
        dynamo=True,
        opset_version=18,
        external_data=False,
        verbose=False,
    )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for shape in ((1, 1), (3, 40)):
        boxes, scores = inputs(*shape)
        (kept,) = session.run(None, {"boxes": boxes.numpy(), "scores": scores.numpy()})
        expected = kept_by_nms(boxes, scores, 0.5)
        assert kept.dtype == bool
        assert kept.tolist() == expected.tolist()
    assert 0 < expected.sum() < (scores >= 0).sum()
