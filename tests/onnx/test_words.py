"""Prompts around an exported text tower, here one that returns what it was given."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from ovarnet.build.save import save_model
from ovarnet.errors import InputError
from ovarnet.modeling.text.stored_words import text_key
from ovarnet.onnx.settings import GraphSettings, TextSettings
from ovarnet.onnx.words import OnnxClip, open_classifier, open_tower
from ovarnet.vocabulary import Vocabulary, Word

SETTINGS = GraphSettings(
    model="ovarnet",
    clip="ovarnet-scenes",
    embed_dim=2,
    calibration={"category": (25.0, -10.5), "attribute": (20.0, -9.0)},
    logit_scale=3.5,
    prompts={"category": ["a {}"], "attribute": ["{}"]},
    threshold=0.65,
    vocabulary=Vocabulary(),
    image={},
    text=TextSettings((49406,), (49407,), 77, 0, False, 96, 49408),
)


class EchoSession:
    """The embedding of a prompt is (its largest id, its length)."""

    path = "a.text.onnx"

    def __init__(self, settings=SETTINGS):
        self.settings, self.calls = settings, []

    def __call__(self, outputs, inputs):
        self.calls.append(inputs)
        assert outputs == ["embeddings"]
        rows = [inputs["tokens"].amax(dim=1), inputs["lengths"]]
        return [torch.stack(rows, dim=1).float()]


def test_template_prompts_go_through_the_tokenizer_of_the_clip():
    session = EchoSession()
    clip = OnnxClip(SETTINGS, open_tower(session))
    words = open_classifier(clip, SETTINGS).embed([Word("mug")], "category")
    (call,) = session.calls
    assert call["tokens"].tolist() == [[49406, *clip.tokenizer.encode("a mug"), 49407]]
    assert call["lengths"].tolist() == [4]
    expected = torch.nn.functional.normalize(torch.tensor([[49407.0, 4.0]]), dim=1)
    assert torch.allclose(words.matrix, expected)


def test_learned_vectors_have_the_ids_after_the_tokens():
    prompts = {"vectors": [1, 0, 1], "parent_type": True}
    settings = replace(SETTINGS, prompts=prompts)
    session = EchoSession(settings)
    clip = OnnxClip(settings, open_tower(session))
    open_classifier(clip, settings).embed([Word("mug", parent="tree")], "attribute")
    mug, tree = clip.tokenizer.encode("mug tree")
    assert session.calls[0]["tokens"].tolist() == [[49406, 49408, mug, tree, 49409, 49407]]


def test_no_words_and_long_words():
    clip = OnnxClip(SETTINGS, open_tower(EchoSession()))
    classifier = open_classifier(clip, SETTINGS)
    assert classifier.embed([], "category").matrix.shape == (0, 2)
    with pytest.raises(InputError, match="shorten it"):
        classifier.embed([Word("a b c d " * 24)], "category")


def test_scores_use_the_calibration_of_the_file():
    classifier = open_classifier(OnnxClip(SETTINGS, open_tower(EchoSession())), SETTINGS)
    assert classifier.calibration.tolist() == [[25.0, -10.5], [20.0, -9.0]]
    stock = open_classifier(OnnxClip(SETTINGS, None), replace(SETTINGS, calibration={}))
    assert stock.calibration.isnan().all()
    assert not stock.training


def test_categories_are_divided_by_what_they_can_reach():
    class WithConcepts(EchoSession):
        def __call__(self, outputs, inputs):
            if outputs == ["concepts"]:
                return [torch.tensor([[0.8, 0.6]])]
            return super().__call__(outputs, inputs)

    settings = replace(SETTINGS, text=replace(SETTINGS.text, has_concepts=True))
    session = WithConcepts(settings)
    classifier = open_classifier(OnnxClip(settings, open_tower(session)), settings)
    lengths = [
        classifier.embed([Word("mug")], kind).matrix.norm(dim=1).item()
        for kind in ("category", "attribute")
    ]
    assert lengths == pytest.approx([1 / 0.8, 1], abs=1e-3)


def test_words_stored_by_the_model_itself_are_read():
    settings = replace(SETTINGS, text_key="abc")
    classifier = open_classifier(OnnxClip(settings, open_tower(EchoSession())), settings)
    assert text_key(classifier) == "abc"


def test_an_exported_model_is_no_checkpoint(tmp_path):
    with pytest.raises(InputError, match=r"share its \.onnx files"):
        save_model(SimpleNamespace(clip=OnnxClip(SETTINGS, None)), tmp_path / "folder")


def test_without_a_text_tower_words_are_refused():
    with pytest.raises(InputError, match="export the model without --words"):
        OnnxClip(SETTINGS, None).require_text_tower()
    with pytest.raises(InputError, match=r"a\.text\.onnx holds no text tower"):
        open_tower(EchoSession(replace(SETTINGS, text=None)))


def test_crops_go_through_the_crop_graph():
    image = {"size": 4, "mean": [0.5] * 3, "std": [0.25] * 3}
    seen = []

    def crops(outputs, inputs):
        seen.append((outputs, list(inputs)))
        return [inputs["crops"].mean(dim=(2, 3))[:, :2]]

    clip = OnnxClip(replace(SETTINGS, image=image), None, crops)
    assert (clip.image_size, clip.mean) == (4, (0.5,) * 3)
    assert clip.encode_image(torch.ones(3, 3, 4, 4)).tolist() == [[1, 1]] * 3
    assert clip.encode_image(torch.ones(0, 3, 4, 4)).shape == (0, 2)
    assert seen == [(["embeddings"], ["crops"])]
