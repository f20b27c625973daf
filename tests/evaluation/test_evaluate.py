"""From a model to the report, on three tiny images and a model whose answers are written down."""

import pytest
import torch
from PIL import Image
from written_model import FREE, GIVEN, IMAGES, NAMES, WORDS, WrittenModel, answer, spans

from ovarnet.errors import InputError
from ovarnet.evaluation.evaluate import add_official, evaluate_model, evaluate_predictions
from ovarnet.evaluation.report import Report
from ovarnet.structures import Annotations, Detections, Proposals
from ovarnet.vocabulary import Vocabulary, Word


@pytest.fixture(scope="module")
def report():
    return evaluate_model(WrittenModel(), WORDS, IMAGES, about={"model": "written"}, progress=False)


def test_a_model_trained_with_labels_of_novel_words_is_noted(report):
    model = WrittenModel()
    model.vocabulary = Vocabulary.of(
        [Word("dog", seen=True), Word("cat", seen=True)], [Word("big", seen=True), Word("red")]
    )
    notes = evaluate_model(model, WORDS, IMAGES, progress=False).notes
    assert [note for note in notes if note not in report.notes] == [
        "NOT open-vocabulary: the model was trained with labels of 2 of the novel words, such as "
        "'dog'; train it with the base / novel "
        "division of this dataset"
    ]


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


TWO_ATTRIBUTES = Vocabulary.of([], ["color:red", "size:big/large"])


@pytest.mark.parametrize("rule", ["ovad", "vaw"])
def test_every_annotated_box_takes_part_in_the_matching_by_either_rule(rule):
    """The first detection is the second box exactly, of which no attribute is known: it takes it.

    The first box is then unmatched and scores 0. red: a positive at 0 below a negative at .5, AP
    1/2. big: a positive at .6 above a negative at 0, AP 1.
    """
    truth = Annotations(
        "1.jpg",
        "1",
        100,
        100,
        [[0, 0, 10, 10], [0, 0, 12, 10], [50, 50, 60, 60]],
        [-1, -1, -1],
        [[1, 0], [2, 2], [0, 1]],
    )
    found = Detections(
        [[0, 0, 12, 10], [50, 50, 60, 60]],
        torch.tensor([0.9, 0.8]),
        torch.zeros(2, 0),
        torch.tensor([[0.9, 0.1], [0.5, 0.6]]),
        [],
        TWO_ATTRIBUTES.attribute_names,
    )
    report = evaluate_predictions({"box-free": [found]}, TWO_ATTRIBUTES, [truth], rule=rule)
    for protocol in ("ovad: one-to-one, IoU >= 0.5", "ovad, silent images = misses"):
        assert report.value("box-free", "attribute mAP", "all", protocol) == 3 / 4
    assert report.value("box-free", "attribute mAP", "all", "authors: best IoU, no cut") == 1


def test_ap_is_the_same_by_both_rules(report):
    answers = {"box-given": list(GIVEN.values()), "box-free": list(FREE.values())}
    ovad = evaluate_predictions(answers, WORDS, IMAGES, rule="ovad")
    by_rule = [
        {
            (row.setting, row.protocol.removesuffix(" rule")[-4:], row.group): row.value
            for row in some.rows
            if row.measure == "attribute mAP" and row.group not in ("single", "multiple")
        }
        for some in (report, ovad)
    ]
    same = {key for key in by_rule[0] if key[0] == "box-free"}
    assert len(same) > 10
    assert {key: by_rule[0][key] for key in same} == {key: by_rule[1][key] for key in same}
    for group in ("all", "base", "novel", "head", "type size"):
        assert report.value("box-given", "attribute mAP", group) == ovad.value(
            "box-given", "attribute mAP", group
        )


def test_crowds_take_part_in_the_matching_as_in_ovads_tool():
    truth = Annotations(
        "1.jpg",
        "1",
        10,
        100,
        spans((0, 10), (3, 13)),
        [0, 0],
        [[2, 1, 2], [2, 0, 2]],
        [False, True],
    )
    found = answer(spans((3, 13)), [0.9], [[0.9, 0.1]], [[0.5, 0.9, 0.5]])
    report = evaluate_predictions({"box-free": [found]}, WORDS, [truth])
    assert report.value(
        "box-free", "attribute mAP", "base", "ovad: one-to-one, IoU >= 0.5"
    ) == pytest.approx(1 / 2)  # the crowd, not red, has the detection; red is a miss


def test_detections_on_images_without_boxes_are_false_positives():
    """COCO's precision of the cat falls to 1/2 behind the cat on an empty image."""
    empty = Annotations("9.jpg", "9", 10, 100, spans(), [], torch.zeros(0, 3))
    truth = Annotations("1.jpg", "1", 10, 100, spans((0, 10)), [1], [[2, 2, 2]])
    hit = answer(spans((0, 10)), [0.5], [[0.1, 0.5]], [[0.5] * 3])
    false_alarm = answer(spans((0, 10)), [0.9], [[0.1, 0.9]], [[0.5] * 3])
    for found, ap, notes in ((answer(spans(), [], [], []), 1, 0), (false_alarm, 1 / 2, 1)):
        report = evaluate_predictions({"box-free": [hit, found]}, WORDS, [truth, empty])
        assert report.value("box-free", "COCO-OVD AP50", "base") == pytest.approx(ap)
        note = "1 images without an annotated box have detections, which are false positives"
        assert sum(note in line for line in report.notes) == notes


def test_the_reference_evaluator_gives_the_same_numbers(report):
    answers = {"box-free": list(FREE.values())}
    reference = evaluate_predictions(answers, WORDS, IMAGES, evaluator="pycocotools")
    assert "COCO-OVD AP50: COCOeval of pycocotools" in reference.notes
    assert "COCO-OVD AP50: COCOeval of faster-coco-eval" in report.notes
    for group in ("all", "base", "novel"):
        assert reference.value("box-free", "COCO-OVD AP50", group) == pytest.approx(
            report.value("box-free", "COCO-OVD AP50", group), abs=1e-12
        )


def test_the_official_tool_scores_given_boxes_and_for_ovad_also_detections():
    answers = {"box-given": list(GIVEN.values()), "box-free": list(FREE.values())}
    for rule, settings in (("vaw", ["box-given"]), ("ovad", ["box-given", "box-free"])):
        report = evaluate_predictions(answers, WORDS, IMAGES, rule=rule)
        add_official(report, WORDS)
        assert list(report.official) == settings
    # odd has no positive: left out of OVAD's mean, AP 0 in VAW's.
    ovad = report.official["box-given"]["groups"]
    assert ovad["all"]["per_class"]["threshold"]["ap"] == pytest.approx(100 * 65 / 72)
    assert "single" in ovad
    assert "single" not in report.official["box-free"]["groups"]
    # Images without a detection are left out: 1 of the 3, with one of the 5 boxes.
    words = {word["name"]: word for word in report.official["box-free"]["words"]}
    assert (words["red"]["n_pos"], words["red"]["n_neg"]) == (2, 1)


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

    class Proposing(WrittenModel):
        device = "cpu"

        def __init__(self):
            super().__init__()
            self.model = self

        def propose(self, pixels, names):
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
    # The scores sum to 5.9 over five boxes and three words: 0.39, up for given boxes. Box-free, the
    # crowd takes the box of highest IoU, which is the first: 7.2 / 15 = 0.48, down. Four positives
    # in five boxes: K 0, every word.
    assert "box-given, ovad rule: 5 boxes; threshold 0.4, K 0" in report.notes
    assert "box-free, authors: best IoU, no cut: 5 boxes; threshold 0.4, K 0" in report.notes
    assert report.value("box-given", "attribute mAP", "single") == pytest.approx(65 / 72)


def test_bad_input_is_named():
    with pytest.raises(
        InputError, match="setting 'boxes' is unknown; choose from box-given, box-free"
    ):
        evaluate_model(WrittenModel(), WORDS, IMAGES, ["boxes"], progress=False)
    with pytest.raises(InputError, match="no annotated image"):
        evaluate_model(WrittenModel(), WORDS, [], progress=False)
    with pytest.raises(InputError, match="predictions for 1 images but annotations for 3"):
        evaluate_predictions({"box-free": [FREE["1.jpg"]]}, WORDS, IMAGES)
    with pytest.raises(KeyError, match="0 rows"):
        Report({}).value("box-free", "attribute mAP")
