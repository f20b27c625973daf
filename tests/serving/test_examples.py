from PIL import Image

from ovarnet.captions.query import read_query
from ovarnet.serving.examples import FOLDER, PHOTOS, SCENES


def test_every_picture_is_there_and_every_phrase_names_a_category_of_its_words():
    for example in (*PHOTOS, *SCENES):
        with Image.open(FOLDER / example.file) as opened:
            assert opened.format == "JPEG"
        assert read_query(example.phrase).category in example.categories
