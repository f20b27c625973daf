"""Words that the graph scores itself."""

import pytest
import torch

from ovarnet.errors import InputError
from ovarnet.onnx.folded_words import FoldedClassifier, joined_scores
from ovarnet.onnx.settings import GraphSettings
from ovarnet.onnx.words import OnnxClip
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary.of(["mug", "car"], ["red", "striped", "tiny"])
SETTINGS = GraphSettings(
    model="ovarnet",
    clip="none",
    embed_dim=2,
    calibration={},
    logit_scale=1.0,
    prompts={},
    threshold=0.5,
    vocabulary=WORDS,
    image={},
    folded=True,
)


@pytest.fixture
def classifier():
    return FoldedClassifier(OnnxClip(SETTINGS, None), WORDS)


def test_scores_are_columns_of_the_graph_in_the_order_queried(classifier):
    categories, attributes = torch.tensor([[0.1, 0.9]]), torch.tensor([[0.2, 0.3, 1.0]])
    words = classifier.encode_vocabulary(Vocabulary.of(["car"], ["tiny", "red"]))
    rows = joined_scores(categories, attributes)
    assert rows.isfinite().all()
    found = [logits.sigmoid() for logits in classifier.logits(rows, words)]
    assert torch.allclose(found[0], torch.tensor([[0.9]]))
    assert torch.allclose(found[1], torch.tensor([[1.0, 0.2]]))


def test_other_words_are_refused(classifier):
    with pytest.raises(InputError) as error:
        classifier.embed([Word("stripy")], "attribute")
    assert str(error.value) == (
        "the attribute 'stripy' is not among the words of this ONNX file (did you mean "
        "'striped'?) (red, striped, tiny); export the model without --words to name any"
    )
    with pytest.raises(InputError, match="'red' is not among"):
        classifier.embed([Word("red")], "category")
