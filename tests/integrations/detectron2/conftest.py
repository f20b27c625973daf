"""A small dataset in detectron2's catalogs."""

import pytest
from catalogue_data import write_catalogue

from ovarnet.io.word_files import write_vocabulary
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary(
    (Word("poster", seen=True), Word("belt", seen=True)),
    tuple(Word(name, "color", seen=True) for name in ("red", "blue", "green")),
)


def catalogue_with_words(root):
    """The folder of a dataset "custom"."""
    write_vocabulary(write_catalogue(root) / "vocabulary.json", WORDS)
    return root


@pytest.fixture
def catalogue(tmp_path):
    """The same dataset, for tests that change it: a red poster, a blue belt, ..."""
    return catalogue_with_words(tmp_path)


@pytest.fixture(scope="session")
def small_datasets(tmp_path_factory):
    """Names of a train (12 images) and a test split (6 images), posters and belts in 3 colours."""
    from detectron2.data import DatasetCatalog

    from ovarnet.integrations.detectron2.catalog import register_dataset

    root = catalogue_with_words(tmp_path_factory.mktemp("catalogue"))
    names = ("ovarnet-small_train", "ovarnet-small_test")
    for name in names:
        register_dataset(name, "custom", root, name.rpartition("_")[2])
    yield names
    for name in names:
        DatasetCatalog.pop(name)


@pytest.fixture
def with_novel_word(small_datasets):
    """The training split with "red", which the models of the scenes know, as a novel word."""
    from detectron2.data import DatasetCatalog, MetadataCatalog

    name = "ovarnet-small_novel"
    vocabulary = Vocabulary(WORDS.categories, (Word("red", "color"),))
    DatasetCatalog.register(name, lambda: [])
    MetadataCatalog.get(name).set(vocabulary=vocabulary)
    yield name
    DatasetCatalog.pop(name)
    MetadataCatalog.pop(name)
