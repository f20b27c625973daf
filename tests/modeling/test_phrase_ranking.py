"""The rule of `find` on scores that can be worked out by hand, and `Predictor.find` around it."""

import math

import numpy as np
import pytest
import torch
from fake_model import ColumnClassifier, fake_predictor

from ovarnet.captions.query import named_query
from ovarnet.errors import InputError
from ovarnet.modeling.phrase_ranking import Evidence, PhraseRanker, competing_words, probabilities
from ovarnet.modeling.predictor import Predictor
from ovarnet.modeling.region_model import RegionEmbeddings, RegionModel
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary(
    (
        Word("car", "vehicle", synonyms=("car", "automobile")),
        Word("mug", "kitchen"),
        Word("dog", "animal"),
    ),
    (
        Word("white", "color"),
        Word("black", "color"),
        Word("gray", "color"),
        Word("dirty", "condition"),
    ),
)
LOGITS = {
    "car": 0,
    "automobile": 0,
    "mug": 1,
    "dog": 2,
    "white": 3,
    "black": 4,
    "gray": 5,
    "dirty": 6,
    "teapot": 7,
    "white car": 8,
}


class ColumnOfWord(ColumnClassifier):
    """The logit of a word is the number in its column of the region's embedding; another word's is
    0."""

    def embed(self, words, kind):
        return [LOGITS.get(word.name) for word in words]

    def forward(self, regions, words):
        columns = [
            regions[:, column] if column is not None else regions.new_zeros(len(regions))
            for column in words
        ]
        return torch.stack(columns, dim=1) if columns else regions.new_zeros(len(regions), 0)


class FoundModel(RegionModel):
    """Finds `regions` in every image."""

    def __init__(self, regions, vocabulary):
        super().__init__(ColumnOfWord(), vocabulary)
        self.found = regions
        self.eval()

    def forward(self, images, boxes=None, names=None, min_objectness=0.0):
        if boxes is None:
            return [self.found] * len(images)
        return [
            RegionEmbeddings(rows, torch.ones(len(rows)), self.found.embeddings[: len(rows)])
            for rows in boxes
        ]


def Found(regions, vocabulary=WORDS, **settings):  # noqa: N802
    return Predictor(FoundModel(regions, vocabulary), **settings)


ENCODED = ColumnOfWord().encode_vocabulary(WORDS)


def region(**odds):
    """An embedding whose logits are the logarithms of the odds given by word ("_" is a space);
    every other logit is 0."""
    row = torch.zeros(9)
    for word, value in odds.items():
        row[LOGITS[word.replace("_", " ")]] = math.log(value)
    return row


def regions(*rows):
    """Rows of (box, objectness, embedding)."""
    boxes, objectness, embeddings = zip(*rows, strict=True)
    return RegionEmbeddings(
        torch.tensor(boxes, dtype=torch.float32), torch.tensor(objectness), torch.stack(embeddings)
    )


PICTURE = np.zeros((60, 80, 3), dtype=np.uint8)
LEFT, RIGHT, NEAR_LEFT = [0, 0, 30, 40], [40, 10, 80, 60], [1, 0, 31, 40]


def test_the_score_is_the_geometric_mean():
    evidence = Evidence(
        torch.tensor([0.5, 0.0]),
        torch.tensor([[0.8], [1.0]]),
        torch.tensor([[0.25, 0.1], [1.0, 1.0]]),
        torch.tensor([[0.4], [1.0]]),
    )
    assert evidence.score().tolist() == pytest.approx([(0.5 * 0.8 * 0.25 * 0.1 * 0.4) ** 0.2, 0.0])


def test_a_known_word_competes_with_the_others_of_its_kind():
    found = Found(regions((LEFT, 0.5, region(car=6, mug=2, white=3, gray=2, white_car=3)))).find(
        PICTURE, "a white car"
    )
    category, white, phrase = 6 / (6 + 2 + 1), 3 / (3 + 2 + 1), 3 / (3 + 6 + 2 + 1)
    assert found.categories == ["car"]
    assert found.attributes == ["white"]
    assert found.category_scores[0, 0].item() == pytest.approx(category)
    assert found.attribute_scores[0, 0].item() == pytest.approx(white)
    assert found.scores.tolist() == pytest.approx([(0.5 * category * white * phrase) ** 0.25])


def test_an_unknown_word_and_a_word_alone_of_its_type_have_no_competing_words():
    evidence = PhraseRanker(ColumnOfWord(), ENCODED, "dirty teapot").evidence(
        regions((LEFT, 1.0, region(teapot=3, dirty=4, car=50, white=50)))
    )
    assert evidence.category.tolist()[0] == pytest.approx([3 / 4])
    assert evidence.attributes.tolist()[0] == pytest.approx([4 / 5])
    assert evidence.phrase.tolist()[0] == pytest.approx(
        [1 / (1 + 3)]
    )  # "dirty teapot" against "teapot" alone


def test_words_of_one_phrase_do_not_compete():
    evidence = PhraseRanker(ColumnOfWord(), ENCODED, "black and white car").evidence(
        regions((LEFT, 1.0, region(black=4, white=3, gray=2)))
    )
    assert evidence.attributes.tolist()[0] == pytest.approx([4 / 6, 3 / 5])
    queried = [Word("automobile"), Word("teapot")]
    assert competing_words(queried, WORDS.categories, same_parent=False).tolist() == [
        [False, True, True],
        [False] * 3,
    ]  # "car" means the same
    assert probabilities(
        torch.zeros(2, 0), torch.zeros(2, 3), torch.zeros(0, 3, dtype=torch.bool)
    ).shape == (2, 0)


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [("car", (0.36 * 6 / 8) ** (1 / 2)), ("something white", (0.36 * 3 / 5) ** (1 / 2))],
)
def test_a_single_word_is_not_counted_twice(phrase, expected):
    assert Found(regions((LEFT, 0.36, region(car=6, white=3)))).find(
        PICTURE, phrase
    ).scores.tolist() == pytest.approx([expected])


def test_the_box_that_fits_both_wins():
    """A black car, a white mug, a white car that is surer of neither."""
    boxes = regions(
        (LEFT, 0.9, region(car=90, black=90)),
        (NEAR_LEFT, 0.9, region(mug=90, white=90)),
        (RIGHT, 0.9, region(car=9, white=9, white_car=9)),
    )
    found = Found(boxes).find(PICTURE, "the white car")
    assert found.boxes[0].tolist() == RIGHT
    assert len(found) == 2
    assert found.scores.tolist() == sorted(found.scores.tolist(), reverse=True)


@pytest.mark.parametrize(("nms_iou", "left"), [(0.5, 1), (0.7, 1), (0.8, 2)])
def test_boxes_that_overlap_more_than_the_model_s_limit_are_left_out(nms_iou, left):
    part = [0, 0, 30, 30]  # three quarters of LEFT
    found = Found(
        regions((LEFT, 0.9, region(car=6)), (part, 0.8, region(car=6))), nms_iou=nms_iou
    ).find(PICTURE, "car", containment=1)
    assert found.boxes.tolist() == [LEFT, part][:left]


def test_a_part_is_left_out_where_the_phrase_names_a_category():
    part = [1, 1, 9, 9]
    model = Found(regions((LEFT, 0.9, region(car=6)), (part, 0.8, region(car=6))))
    for phrase, boxes in (("the white car", [LEFT]), ("something white", [LEFT, part])):
        assert model.find(PICTURE, phrase).boxes.tolist() == boxes
        assert model.rank(model.embed(PICTURE), phrase).boxes.tolist() == boxes
        assert len(model.find(PICTURE, phrase, containment=1)) == 2
        assert len(model.find(PICTURE, phrase, containment=1, limit=1)) == 1
        assert len(model.find(PICTURE, phrase, boxes=[LEFT, part], limit=1)) == 2
    with pytest.raises(InputError, match="limit is 0"):
        model.find(PICTURE, "car", limit=0)
    with pytest.raises(InputError, match="limit is 0"):
        model.rank(model.embed(PICTURE), "car", limit=0)


def test_the_order_of_the_vocabulary_changes_nothing():
    turned = Vocabulary(WORDS.categories[::-1], WORDS.attributes[::-1])
    seen = regions(
        (LEFT, 0.9, region(car=5, dog=2, white=3, gray=4)),
        (RIGHT, 0.7, region(car=2, white=6, white_car=3)),
    )
    one, other = (Found(seen, words).find(PICTURE, "white car") for words in (WORDS, turned))
    assert torch.equal(one.boxes, other.boxes)
    assert torch.allclose(one.scores, other.scores)


def test_a_batch_equals_single_images_and_given_boxes_keep_their_order():
    model = Found(regions((LEFT, 0.9, region(car=2)), (RIGHT, 0.7, region(car=5))))
    for together in model.find([PICTURE, PICTURE], "car"):
        assert torch.equal(together.scores, model.find(PICTURE, "car").scores)
    given = model.find(PICTURE, "car", boxes=[LEFT, RIGHT])
    assert given.boxes.tolist() == [LEFT, RIGHT]
    assert given.scores.tolist() == pytest.approx([(2 / 4) ** 0.5, (5 / 7) ** 0.5])


def test_at_most_limit_boxes_and_none_at_all():
    assert (
        len(
            Found(regions((LEFT, 0.9, region()), (RIGHT, 0.7, region())), limit=1).find(
                PICTURE, "car"
            )
        )
        == 1
    )
    nothing = RegionEmbeddings(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, 9))
    assert Found(nothing).find(PICTURE, "white car").category_scores.shape == (0, 1)


def test_named_words_are_ranked_as_those_of_a_phrase():
    model = Found(regions((LEFT, 0.9, region(car=5, white=3, white_car=3))))
    by_name = model.find(PICTURE, named_query("Car", ["white"]))
    assert by_name.categories == ["car"]
    assert torch.equal(by_name.scores, model.find(PICTURE, "white car").scores)


@pytest.mark.parametrize(
    "phrase",
    ["a white car near a black mug", "a white car that is not dirty", "leftmost white car"],
)
def test_what_is_left_out_does_not_change_the_score(phrase):
    """Also not through p(phrase), the phrase as one text."""
    model = Found(regions((LEFT, 0.9, region(car=5, white=3, white_car=3, dirty=7, mug=2))))
    assert torch.equal(model.find(PICTURE, phrase).scores, model.find(PICTURE, "white car").scores)


def test_a_model_without_words_and_bad_phrases():
    model = fake_predictor()
    model.vocabulary = Vocabulary()
    assert len(model.find(PICTURE, "a puce teapot", containment=1)) == 2
    with pytest.raises(InputError, match="names nothing"):
        model.find(PICTURE, " ")
    with pytest.raises(InputError, match="must be a string, not int"):
        model.find(PICTURE, 7)
    model.model.train()
    with pytest.raises(RuntimeError, match="evaluation mode"):
        model.find(PICTURE, "mug")


def test_an_embedded_image_and_an_encoded_phrase_give_what_find_gives():
    predictor = Found(regions((LEFT, 0.9, region(car=2, white=3)), (RIGHT, 0.7, region(car=5))))
    phrase = predictor.encode_phrase("the white car")
    assert phrase.query.category == "car"
    found = predictor.find(PICTURE, "the white car")
    seen = predictor.embed(PICTURE)
    words = predictor.encode_vocabulary()
    for again in (
        predictor.find(PICTURE, phrase),
        predictor.rank(seen, "the white car"),
        predictor.rank([seen, seen], phrase)[1],
        predictor.find(PICTURE, "the white car", vocabulary=words),
        predictor.rank(seen, "the white car", vocabulary=words),
    ):
        assert torch.equal(again.scores, found.scores)
        assert torch.equal(again.boxes, found.boxes)


def test_a_phrase_is_text():
    with pytest.raises(InputError, match="a phrase must be a string, not NoneType"):
        fake_predictor().find(PICTURE, None)


def test_the_competing_words_may_be_others():
    predictor = Found(regions((LEFT, 1.0, region(car=6, mug=2))))
    alone = predictor.encode_vocabulary(["car"], [])
    assert predictor.find(PICTURE, "car").category_scores[0, 0].item() == pytest.approx(6 / 9)
    found = predictor.find(PICTURE, "car", vocabulary=alone)
    assert found.category_scores[0, 0].item() == pytest.approx(6 / 7), "no word competes: sigmoid"
