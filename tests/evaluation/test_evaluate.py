"""The whole way from a model to the table, on three tiny images and a model whose answers are
written down here."""

import json
import math

import pytest
import torch

from ovarnet.errors import InputError
from ovarnet.evaluation.evaluate import evaluate_model, evaluate_predictions
from ovarnet.evaluation.report import Report, Row
from ovarnet.evaluation.report_rows import word_groups
from ovarnet.structures import Annotations, Detections, Proposals
from ovarnet.vocabulary import Vocabulary, Word

# Novel first, so that nothing can go by position.
WORDS = Vocabulary.of(
    [Word("dog"), Word("cat", seen=True)],
    [
        Word("big", parent="size", group="tail"),
        Word("red", parent="red things", seen=True, family="color", group="head"),
        Word("odd", parent="size", seen=True),
    ],
)
NAMES = (WORDS.category_names, WORDS.attribute_names)


def spans(*pairs):
    return torch.tensor(
        [[left, 0, right, 10] for left, right in pairs], dtype=torch.float32
    ).reshape(-1, 4)


# big: one positive, one negative. red: three positives, one negative. odd: two negatives. The crowd
# box has no attribute.
IMAGES = [
    Annotations(
        "1.jpg",
        "1",
        10,
        100,
        spans((0, 10), (20, 30), (60, 100)),
        [1, 0, 1],
        [[1, 1, 0], [0, 1, 2], [2, 2, 2]],
        [False, False, True],
    ),
    Annotations("2.jpg", "2", 10, 100, spans((0, 10)), [0], [[2, 1, 0]]),
    Annotations("3.jpg", "3", 10, 100, spans((0, 10)), [1], [[2, 0, 2]]),
]


def answer(boxes, scores, categories, attributes):
    count = len(boxes)
    return Detections(
        boxes,
        torch.tensor(scores),
        torch.tensor(categories).reshape(count, 2),
        torch.tensor(attributes).reshape(count, 3),
        *NAMES,
    )


GIVEN = {
    "1.jpg": answer(
        IMAGES[0].boxes,
        [1.0, 1, 1],
        [[0.1, 0.9], [0.2, 0.8], [0.9, 0.1]],
        [[0.9, 0.6, 0.5], [0.4, 0.2, 0.5], [0, 0, 0]],
    ),
    "2.jpg": answer(IMAGES[1].boxes, [1.0], [[0.7, 0.3]], [[0.5, 0.4, 0.4]]),
    "3.jpg": answer(IMAGES[2].boxes, [1.0], [[0.4, 0.6]], [[0.5, 0.5, 0.5]]),
}
FREE = {
    "1.jpg": answer(
        spans((20, 30), (0, 10)),
        [0.9, 0.8],
        [[0.9, 0.1], [0.2, 0.8]],
        [[0.1, 0.7, 0.5], [0.8, 0.3, 0.5]],
    ),
    "2.jpg": answer(spans(), [], [], []),
    "3.jpg": answer(spans((50, 60)), [0.85], [[0.1, 0.9]], [[1.0, 1, 1]]),
}


class Written:
    """A model that answers what is written above and notes what it was asked."""

    def __init__(self):
        self.asked, self.model = [], None

    def encode_vocabulary(self, categories, attributes):
        return [word.name for word in categories], [word.name for word in attributes]

    def detect(self, images, vocabulary, boxes=None):
        self.asked.append((images, *vocabulary, boxes))
        return [(FREE if boxes is None else GIVEN)[image] for image in images]


@pytest.fixture(scope="module")
def report():
    return evaluate_model(Written(), WORDS, IMAGES, about={"model": "written"}, progress=False)


def test_a_model_that_was_taught_novel_words_is_told_on(report):
    model = Written()
    model.vocabulary = Vocabulary.of(
        [Word("dog", seen=True), Word("cat", seen=True)], [Word("big", seen=True), Word("red")]
    )
    notes = evaluate_model(model, WORDS, IMAGES, progress=False).notes
    assert [note for note in notes if note not in report.notes] == [
        "NOT open-vocabulary: the model was trained with labels of 2 of the novel words, such as "
        "'dog'; train it with the base / novel "
        "division of this dataset"
    ]


def test_the_model_is_asked_all_words_with_and_without_boxes():
    model = Written()
    evaluate_model(model, WORDS, IMAGES, progress=False)
    files = ["1.jpg", "2.jpg", "3.jpg"]
    assert [asked[:3] for asked in model.asked] == [
        (files, ["dog", "cat"], ["big", "red", "odd"])
    ] * 2
    assert [boxes.tolist() for boxes in model.asked[0][3]] == [
        image.boxes.tolist() for image in IMAGES
    ]
    assert model.asked[1][3] is None


@pytest.mark.parametrize(
    ("group", "accuracy", "ap"),
    [
        # Boxes (the crowd left out): cat right, dog called cat, dog right, cat right.
        ("all", 3 / 4, ((1 / 2 + 1 / 2 * 2 / 4) + (1 / 2 + 1 / 2 * 2 / 3)) / 2),
        ("base", 1, 1 / 2 + 1 / 2 * 2 / 3),  # cat: kept .9 hit, .8 wrong, .6 hit
        (
            "novel",
            1 / 2,
            1 / 2 + 1 / 2 * 2 / 4,
        ),  # dog: kept .7 hit; the other one ties at 0 with both cats
    ],
)
def test_box_given_categories(report, group, accuracy, ap):
    assert report.value("box-given", "category accuracy", group) == pytest.approx(accuracy)
    assert report.value("box-given", "category AP", group) == pytest.approx(ap)


@pytest.mark.parametrize(
    ("group", "ap", "chance", "words", "skipped"),
    [
        # red: .6 hit, .5 wrong, .4 hit, .2 hit -> 1/3 * (1 + 2/3 + 3/4) = 29/36. big: 1. odd: no
        # positive.
        ("all", (1 + 29 / 36) / 2, (1 / 2 + 3 / 4) / 2, 3, 1),
        ("base", 29 / 36, 3 / 4, 2, 1),
        ("novel", 1, 1 / 2, 1, 0),
        ("head", 29 / 36, 3 / 4, 1, 0),
        ("tail", 1, 1 / 2, 1, 0),
        ("type color", 29 / 36, 3 / 4, 1, 0),
        ("type size", 1, 1 / 2, 2, 1),
    ],
)
def test_box_given_attributes_by_group_with_chance_beside(
    report, group, ap, chance, words, skipped
):
    row = next(
        row
        for row in report.rows
        if (row.setting, row.measure, row.group) == ("box-given", "attribute mAP", group)
    )
    assert (row.value, row.chance, row.of, row.skipped) == pytest.approx(
        (ap, chance, words, skipped)
    )
    assert row.protocol == "vaw rule"


def test_box_free_ap50(report):
    assert report.value("box-free", "COCO-OVD AP50", "novel") == pytest.approx(
        51 / 101
    )  # one of two dogs
    assert report.value("box-free", "COCO-OVD AP50", "base") == pytest.approx(
        51 / 101 / 2
    )  # a miss at .85 before the hit at .8
    assert report.value("box-free", "COCO-OVD AP50") == pytest.approx(51 / 101 * 3 / 4)


@pytest.mark.parametrize(
    ("protocol", "red", "chance"),
    [
        # Image 1 gives red .7 and .3, both hits, under every protocol. Image 2 (a positive) is
        # silent. In image 3 (a negative) the only
        # detection is elsewhere: its 1.0 counts for the authors, nothing for OVAD.
        ("authors: best IoU, no cut", (1 / 2 + 2 / 3 + 3 / 4) / 3, 3 / 4),
        ("ovad: one-to-one, IoU >= 0.5", 1, 2 / 3),
        ("ovad, silent images = misses", (1 + 1 + 3 / 4) / 3, 3 / 4),
    ],
)
def test_box_free_attributes_under_each_protocol(report, protocol, red, chance):
    row = next(
        row
        for row in report.rows
        if (row.measure, row.protocol, row.group) == ("attribute mAP", protocol, "base")
    )
    assert (row.value, row.chance) == pytest.approx((red, chance))


@pytest.mark.parametrize(("rule", "ap"), [("ovad", 1 / 2), ("vaw", 1)])
def test_by_the_ovad_rule_objects_without_a_known_attribute_take_their_detection(rule, ap):
    """The detection lies on the second object, of which nothing is known; the first, red, is then a
    miss below the third, not red."""
    truth = Annotations(
        "1.jpg",
        "1",
        10,
        100,
        spans((0, 10), (3, 13), (50, 60)),
        [0, 0, 0],
        [[2, 1, 2], [2, 2, 2], [2, 0, 2]],
    )
    found = answer(
        spans((3, 13), (50, 60)), [0.9, 0.8], [[0.9, 0.1]] * 2, [[0.5, 0.9, 0.5], [0.5, 0.5, 0.5]]
    )
    report = evaluate_predictions({"box-free": [found]}, WORDS, [truth], rule=rule)
    assert report.value(
        "box-free", "attribute mAP", "base", "ovad: one-to-one, IoU >= 0.5"
    ) == pytest.approx(ap)


def test_silent_images_are_counted(report):
    assert any(
        "1 of 3 images have no detection" in note and "their 1 boxes" in note
        for note in report.notes
    )


def test_recall_of_the_detections(report):
    assert [
        report.value("box-free", "detections R@100", group) for group in ("all", "base", "novel")
    ] == [2 / 4, 1 / 2, 1 / 2]


def test_recall_of_the_proposals(tmp_path):
    from PIL import Image

    images = []
    for image in IMAGES:
        Image.new("RGB", (100, 10)).save(tmp_path / image.file)
        images.append(
            Annotations(
                str(tmp_path / image.file),
                *[
                    getattr(image, name)
                    for name in (
                        "image_id",
                        "height",
                        "width",
                        "boxes",
                        "categories",
                        "attributes",
                        "is_crowd",
                    )
                ],
            )
        )

    class Proposing(Written):
        device = "cpu"

        def __init__(self):
            super().__init__()
            self.model = self

        class proposer:
            @staticmethod
            def propose(pixels, names):
                assert pixels[0].shape == (3, 10, 100)
                assert pixels[0].dtype == torch.float32
                assert names[0].endswith(".jpg")
                return [Proposals(spans((0, 10)), torch.tensor([0.5]))]

        def detect(self, images, **options):
            return super().detect([image.rsplit("/", 1)[-1] for image in images], **options)

    report = evaluate_model(Proposing(), WORDS, images, ["box-free"], progress=False)
    assert [
        report.value("box-free", "proposals R@50", group) for group in ("all", "base", "novel")
    ] == [3 / 4, 1, 1 / 2]
    assert report.value("box-free", "proposals AR@100", "novel") == 1 / 2
    assert not any(row.setting == "box-given" for row in report.rows)


def test_stored_predictions_score_like_the_model(report):
    again = evaluate_predictions(
        {"box-given": list(GIVEN.values()), "box-free": list(FREE.values())}, WORDS, IMAGES
    )
    assert [str(row) for row in again.rows] == [str(row) for row in report.rows]
    assert len(report.rows) > 40


def without(detections, categories=True, attributes=True):
    keep_c, keep_a = slice(None if categories else 0), slice(None if attributes else 0)
    return Detections(
        detections.boxes,
        detections.scores,
        detections.category_scores[:, keep_c],
        detections.attribute_scores[:, keep_a],
        NAMES[0][keep_c],
        NAMES[1][keep_a],
    )


def test_only_one_kind_of_words():
    for kind, expected in (
        ("categories", {"attribute", "detections"}),
        ("attributes", {"category", "COCO-OVD", "detections"}),
    ):
        kept = {
            setting: [without(found, **{kind: False}) for found in answers.values()]
            for setting, answers in (("box-given", GIVEN), ("box-free", FREE))
        }
        assert {
            row.measure.split()[0] for row in evaluate_predictions(kept, WORDS, IMAGES).rows
        } == expected


def test_ovad_rule_takes_its_own_thresholds_and_synonym_groups():
    report = evaluate_predictions(
        {"box-given": list(GIVEN.values()), "box-free": list(FREE.values())},
        WORDS,
        IMAGES,
        rule="ovad",
    )
    # The mean score is 5.9 / 12 = 0.49 in both: up for box-given, down for box-free. Four positives
    # in four boxes: K 1.
    assert "box-given, ovad rule: 4 boxes; threshold 0.5, K 1" in report.notes
    assert "box-free, authors: best IoU, no cut: 4 boxes; threshold 0.4, K 1" in report.notes
    assert report.value("box-given", "attribute mAP", "single") == pytest.approx(65 / 72)


def test_groups_of_words():
    words = [
        Word("a", seen=True, synonyms=("x", "y")),
        Word("b", parent="p", group="head"),
        Word("c", parent="p", family="f"),
    ]
    assert word_groups(words) == {
        "base": [0],
        "novel": [1, 2],
        "head": [1],
        "type other": [0],
        "type p": [1],
        "type f": [2],
    }
    assert word_groups(words, synonyms=True)["multiple"] == [0]
    assert word_groups(words, synonyms=True)["single"] == [1, 2]


def test_table_and_json(report, tmp_path):
    lines = report.table().splitlines()
    assert lines[0] == "model written, images 3, boxes 5"
    assert lines[2].split() == [
        "setting",
        "measure",
        "protocol",
        "group",
        "value",
        "chance",
        "of",
        "skipped",
    ]
    assert any(
        line.split() == ["attribute", "mAP", "vaw", "rule", "all", "90.28", "62.50", "3", "1"]
        for line in lines
    )
    report.write(tmp_path / "out" / "metrics.json")
    content = json.loads(
        (tmp_path / "out" / "metrics.json").read_text(),
        parse_constant=lambda name: pytest.fail(f"{name} in JSON"),
    )
    assert content["about"]["model"] == "written"
    assert len(content["rows"]) == len(report.rows)
    odd = next(
        word
        for word in content["words"]
        if word.get("attribute") == "odd" and word["setting"] == "box-given"
    )
    assert odd == {
        "setting": "box-given",
        "protocol": "vaw rule",
        "attribute": "odd",
        "type": "size",
        "seen": True,
        "ap": None,
        "chance": 0,
        "positives": 0,
        "negatives": 2,
    }
    dog = next(
        word
        for word in content["words"]
        if word.get("category") == "dog" and word["setting"] == "box-given"
    )
    assert (dog["seen"], dog["boxes"], dog["accuracy"]) == (False, 2, 1 / 2)


def test_undefined_values_are_a_dash():
    rows = [
        Row("box-free", "m", "p", "all", math.nan, math.nan),
        Row("box-free", "m", "p", "base", 1.0),
    ]
    lines = Report({"model": "x"}, rows).table().splitlines()
    assert lines[4].split() == ["box-free", "m", "p", "all", "-", "-", "0"]
    assert lines[5].split() == ["base", "100.00", "0"]


def test_bad_input_is_named():
    with pytest.raises(
        InputError, match="setting 'boxes' is unknown; choose from box-given, box-free"
    ):
        evaluate_model(Written(), WORDS, IMAGES, ["boxes"], progress=False)
    with pytest.raises(InputError, match="no annotated image"):
        evaluate_model(Written(), WORDS, [], progress=False)
    with pytest.raises(InputError, match="predictions for 1 images but annotations for 3"):
        evaluate_predictions({"box-free": [FREE["1.jpg"]]}, WORDS, IMAGES)
    with pytest.raises(KeyError, match="0 rows"):
        Report({}).value("box-free", "attribute mAP")
