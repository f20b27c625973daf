"""Files of encoded words: round trip, the words without the embeddings, and refusals."""

import pytest
import torch
from safetensors.torch import save_file

from ovarnet.errors import InputError
from ovarnet.io.encoded_words import EncodedWords, read_encoded_words, write_encoded_words
from ovarnet.io.word_files import read_vocabulary, read_words, vocabulary_record
from ovarnet.vocabulary import Vocabulary, Word

VOCABULARY = Vocabulary.of(["mug", "木"], [Word("red", "color", synonyms=("red", "crimson"))])


@pytest.fixture
def file(tmp_path):
    embeddings = {"categories": torch.eye(2, 3), "attributes": torch.eye(3)[1:]}
    path = tmp_path / "new" / "words.safetensors"
    write_encoded_words(path, EncodedWords(vocabulary_record(VOCABULARY), "ab12", embeddings))
    return path


def test_round_trip(file):
    words = read_encoded_words(file)
    assert words.key == "ab12"
    assert words.vocabulary["categories"] == [{"name": "mug"}, {"name": "木"}]
    assert words.vocabulary["attributes"] == [
        {"name": "red", "parent": "color", "synonyms": ["red", "crimson"]}
    ]
    assert list(words.embeddings) == ["categories", "attributes"]
    torch.testing.assert_close(words.embeddings["categories"], torch.eye(2, 3), rtol=0, atol=0)
    torch.testing.assert_close(words.embeddings["attributes"], torch.eye(3)[1:], rtol=0, atol=0)
    assert [path.name for path in file.parent.iterdir()] == ["words.safetensors"]


def test_words_are_read_without_embeddings(file):
    assert read_encoded_words(file, embeddings=False).embeddings == {}
    assert read_vocabulary(file) == VOCABULARY
    assert read_words(str(file), "categories") == ["mug", "木"]
    assert read_words(str(file), "attributes") == ["red"]


def test_refusals(file, tmp_path):
    with pytest.raises(InputError, match=r"no\.safetensors: no such file"):
        read_encoded_words(tmp_path / "no.safetensors")

    weights = tmp_path / "weights.safetensors"
    save_file({"w": torch.zeros(1)}, weights)
    with pytest.raises(InputError, match="holds no encoded words; write it ag") as error:
        read_vocabulary(weights)
    assert str(error.value).startswith(f"{weights}: holds")

    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(InputError, match=r"words\.safetensors: damaged or truncated"):
        read_encoded_words(file)
