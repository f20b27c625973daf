"""What goes into the files; that they run: tests/onnx/test_model.py."""

import pytest
from exporter import needs_exporter
from small_ovarnet import WORDS, small_ovarnet

from ovarnet.errors import InputError
from ovarnet.modeling.clip_attr import ClipAttr
from ovarnet.modeling.text.stored_words import text_key
from ovarnet.onnx.export import export, settings_of
from ovarnet.onnx.model import NoProposer
from ovarnet.onnx.text_graph import TextGraph


@pytest.fixture(scope="module")
def model():
    return small_ovarnet(learned=True, box_stage_width=0)


def test_the_metadata_have_what_inference_needs(model):
    text = TextGraph(model.clip, model.classifier.prompts)
    settings = settings_of(model, text)
    assert (settings.model, settings.clip, settings.embed_dim) == ("ovarnet", "ovarnet-scenes", 128)
    assert settings.calibration == {"category": (9.0, -2.0), "attribute": (11.0, -2.0)}
    assert settings.prompts == {"vectors": [1, 1, 1], "parent_type": True}
    assert settings.threshold == 0.4
    assert settings.image == {"short_side": [32, 96], "long_side": 128}
    assert settings.vocabulary == WORDS
    assert settings.text == text.settings
    assert settings.text_key == text_key(model.classifier)


def test_folded_words_are_the_vocabulary_of_the_file(model):
    words = model.classifier.encode_vocabulary(WORDS.select(["car"], []))
    settings = settings_of(model, None, words)
    assert settings.folded
    assert settings.text is None
    assert settings.vocabulary.category_names == ["car"]


@needs_exporter
def test_a_clip_attr_takes_no_words(model, tmp_path):
    clip_attr = ClipAttr(model.clip, model.classifier, NoProposer(tmp_path), WORDS)
    words = model.classifier.encode_vocabulary(WORDS)
    with pytest.raises(InputError, match="leave out --words and --size"):
        export(clip_attr, tmp_path / "a.onnx", words=words)
    assert list(tmp_path.iterdir()) == []
