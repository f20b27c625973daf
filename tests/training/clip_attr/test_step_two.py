import copy
import json
import math
import re
import shutil
from dataclasses import asdict, replace

import pytest
import torch
from accelerate import Accelerator
from clip_attr_runs import FixedProposer
from fake_model import picture
from omegaconf import OmegaConf
from open_clip.loss import ClipLoss
from safetensors.torch import load_file

import ovarnet
from ovarnet.captions import ParsedCaption
from ovarnet.cli.main import main
from ovarnet.config.settings import CaptionTerms, CaptionTraining, PseudoLabelRules, resolve
from ovarnet.data.captions import load_captions
from ovarnet.errors import InputError
from ovarnet.modeling.text.classifier import TextClassifier
from ovarnet.modeling.text.phrase_prompts import PhrasePrompts
from ovarnet.modeling.text.prompts import LearnedPrompts
from ovarnet.proposals.store import read_proposals, stored_proposals, write_proposals
from ovarnet.training.clip_attr import step_two as captions
from ovarnet.training.clip_attr.checkpoints import open_clip_attr
from ovarnet.training.clip_attr.pseudo_labels import (
    ScoredRegions,
    caption_vocabulary,
    read_pseudo_labels,
    write_pseudo_labels,
)
from ovarnet.training.clip_attr.region_labels import label_regions, largest_region
from ovarnet.training.clip_attr.step_two import CaptionModel, train_with_captions
from ovarnet.training.clip_attr.step_two_criterion import CaptionCriterion, CaptionTexts
from ovarnet.training.clip_attr.step_two_data import (
    CAPTIONS,
    CaptionBatch,
    CaptionData,
    CaptionDataset,
)
from ovarnet.training.clip_attr.trainable import TrainableClipAttr
from ovarnet.training.data.crops import CropRule, ImageCache
from ovarnet.vocabulary import Vocabulary, Word

WORDS = Vocabulary(
    (Word("mug", seen=True), Word("key"), Word("car", seen=True)),
    (Word("red", seen=True), Word("gray"), Word("striped")),
)
BIG = [0.0, 0, 40, 40]


def logits(probabilities):
    return torch.tensor(probabilities).log()


def odds(probabilities):
    return torch.logit(torch.tensor(probabilities))


def test_novel_words_come_from_captions_only():
    told = [ParsedCaption("a gray mug", ("mug",), ("gray",)), ParsedCaption("", (), ())]
    words = caption_vocabulary(WORDS, told)
    assert words.category_names == ["mug", "car"]
    assert words.attribute_names == ["red", "gray"]
    assert caption_vocabulary(WORDS, []).attribute_names == ["red"]


def label(taught, told_categories=(0, 0, 0), mentioned_attributes=(0, 0, 0), **rules):
    told_of = (
        torch.tensor(mentioned_attributes).bool().expand(3, 3)
        if not isinstance(mentioned_attributes, torch.Tensor)
        else mentioned_attributes
    )
    return label_regions(
        taught,
        torch.tensor(told_categories).bool(),
        told_of,
        WORDS.category_seen,
        WORDS.attribute_seen,
        PseudoLabelRules(**rules),
        torch.Generator().manual_seed(0),
    )


def test_an_attribute_counts_for_proposals_of_its_noun():
    taught = ScoredRegions(
        torch.tensor([BIG, BIG]),
        torch.tensor([0.9, 0.9]),
        logits([[0.8, 0.1, 0.1], [0.05, 0.9, 0.05]]),
        odds([[0.1, 0.9, 0.1], [0.1, 0.9, 0.1]]),
    )
    gray_keys = torch.zeros(3, 3, dtype=torch.bool)
    gray_keys[1, 1] = True
    found = label(taught, (0, 1, 0), gray_keys)
    assert found.attributes[:, 1].tolist() == (found.category_logits.argmax(dim=1) == 1).tolist()


def test_the_largest_likely_proposal_stands_for_the_image():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 20, 20], [0, 0, 90, 90]])
    taught = ScoredRegions(
        boxes, torch.tensor([0.9, 0.6, 0.05]), torch.zeros(3, 3), torch.zeros(3, 3)
    )
    assert largest_region(taught, PseudoLabelRules()).tolist() == [[0, 0, 20, 20]]
    taught.objectness = torch.full((3,), 0.01)
    assert largest_region(taught, PseudoLabelRules()).tolist() == [[0, 0, 90, 90]]


def test_base_words_need_a_sure_teacher_and_novel_ones_the_caption_too():
    taught = ScoredRegions(
        torch.tensor([BIG, BIG]),
        torch.tensor([0.9, 0.9]),
        logits([[0.8, 0.1, 0.1], [0.05, 0.9, 0.05]]),
        odds([[0.8, 0.9, 0.6], [0.6, 0.6, 0.4]]),
    )
    alone = label(taught)
    order = [0, 1] if alone.category_logits[0].argmax() == 0 else [1, 0]
    assert alone.categories[order].tolist() == [[True, False, False], [False] * 3]
    assert alone.attributes[order].tolist() == [[True, False, False], [False] * 3]
    told = label(taught, (0, 1, 0), (1, 1, 1))
    assert told.categories.tolist() == [[False, True, False], [True, False, False]], (
        "the region that the caption names comes first"
    )
    assert told.attributes.tolist() == [[True, True, False], [True, True, True]]
    assert told.is_named.tolist() == [True, False]


def test_a_told_category_counts_from_the_lower_threshold():
    taught = ScoredRegions(
        torch.tensor([BIG]), torch.tensor([0.9]), logits([[0.6, 0.3, 0.1]]), odds([[0.1, 0.1, 0.1]])
    )
    assert len(label(taught, (1, 0, 0)).boxes) == 0, "no category is above 0.7"
    assert label(taught, (1, 0, 0), sure_category=0.59).categories.tolist() == [
        [True, False, False]
    ]


def test_small_doubtful_and_surplus_proposals_are_not_used():
    boxes = torch.tensor([BIG, [0, 0, 4, 4], BIG, BIG, BIG])
    sure, unsure = [0.9, 0.05, 0.05], [0.5, 0.25, 0.25]
    taught = ScoredRegions(
        boxes,
        torch.tensor([0.9, 0.9, 0.1, 0.9, 0.9]),
        logits([sure, sure, sure, unsure, sure]),
        torch.zeros(5, 3),
    )
    assert len(label(taught).boxes) == 2
    assert len(label(taught, regions=1).boxes) == 1


def batch_of():
    """2 images, 3 regions, 2 categories, 4 attributes; the teacher's logits are drawn."""
    draw = torch.Generator().manual_seed(1)
    return CaptionBatch(
        torch.zeros(5, 3, 8, 8),
        ["a red mug and a key", "a key"],
        [["a red mug", "a key"], ["a key"]],
        image_categories=torch.tensor([[True, False], [False, False]]),
        image_attributes=torch.tensor([[True, False, False, True], [False, False, True, False]]),
        region_categories=torch.tensor([[False, True], [True, True], [True, False]]),
        region_attributes=torch.tensor(
            [[False, False, True, False], [True, True, False, False], [False, False, False, False]]
        ),
        region_mentioned=torch.tensor(
            [[True, False, False, False], [False, True, True, False], [False, True, False, False]]
        ),
        region_named=torch.tensor([True, False, True]),
        teacher_categories=2 * torch.randn(3, 2, generator=draw),
        teacher_attributes=2 * torch.randn(3, 4, generator=draw),
    )


@pytest.fixture
def texts(small_clip):
    prompts = PhrasePrompts(small_clip.text_width, 2)
    return CaptionTexts(small_clip, prompts, batch_of(), CaptionTerms())


def test_equal_phrases_are_one_row_that_both_images_own(texts):
    assert texts.phrases.shape[0] == 2
    assert texts.owns.tolist() == [[True, True], [False, True]]
    assert texts.first.tolist() == [0, 1]
    assert texts.captions.norm(dim=1).tolist() == pytest.approx([1, 1], rel=1e-5)


NOVEL, UNTOLD = [False, True, True, False], 0.3


def criterion(**weights):
    terms = CaptionTerms(**{name: weights.get(name, 0.0) for name in asdict(CaptionTerms())})
    return CaptionCriterion(ClipLoss(), terms, torch.tensor(NOVEL), (10.0, 5.0), UNTOLD)


def nce(rows, positives, divisor=1.0):
    """Mean over the rows with a positive of -log of the share of the positives; the logits of the
    others are divided."""
    losses = []
    for row, right in zip(rows.tolist(), positives.tolist(), strict=True):
        shares = [
            math.exp(z if is_right else z / divisor) for z, is_right in zip(row, right, strict=True)
        ]
        if any(right):
            losses.append(
                -math.log(
                    sum(share for share, is_right in zip(shares, right, strict=True) if is_right)
                    / sum(shares)
                )
            )
    return sum(losses) / len(losses)


def kl(teacher, student):
    """Mean over the rows of sum p log(p / q)."""
    p, q = (z.exp() / z.exp().sum(dim=1, keepdim=True) for z in (teacher, student))
    return (p * (p / q).log()).sum(dim=1).mean().item()


def told(rows, batch):
    """Mean over the novel words of the regions whose category the caption names; words that are not
    told weigh less."""
    entries = [
        math.log1p(math.exp(-z)) if is_told else UNTOLD * math.log1p(math.exp(z))
        for row, told_of, named in zip(
            rows.tolist(), batch.region_mentioned.tolist(), batch.region_named.tolist(), strict=True
        )
        if named
        for z, is_told, novel in zip(row, told_of, NOVEL, strict=True)
        if novel
    ]
    return sum(entries) / len(entries)


def both_ways(scale, images, texts):
    """The symmetric InfoNCE of pairs: each image among the texts, each text among the images."""
    own = torch.eye(len(images), dtype=torch.bool)
    return (nce(scale * images @ texts.T, own) + nce(scale * texts @ images.T, own)) / 2


def test_each_term_is_switchable_named_and_right(texts):
    draw = torch.Generator().manual_seed(0)
    images = torch.nn.functional.normalize(torch.randn(2, 128, generator=draw), dim=1)
    of_images, of_regions = (
        [3 * torch.randn(rows, words, generator=draw) for words in (2, 4)] for rows in (2, 3)
    )
    bias, batch = torch.tensor(-1.5), batch_of()
    z = (
        of_images[1] + 1.5,
        of_regions[1] + 1.5,
    )  # where a softmax divides logits, it takes them without the bias
    with torch.no_grad():
        expected = {
            "image_caption": both_ways(texts.scale, images, texts.captions),
            "image_phrase": both_ways(texts.scale, images, texts.phrases[[0, 1]]),
            "image_phrases": nce(
                texts.scale * images @ texts.phrases.T, torch.tensor([[True, True], [False, True]])
            ),
            "image_attributes": nce(z[0], batch.image_attributes, divisor=10),
            "image_categories": nce(of_images[0], batch.image_categories),
            "region_attributes": nce(z[1], batch.region_attributes, divisor=5),
            "region_categories": nce(of_regions[0], batch.region_categories),
            "mentioned_attributes": told(of_regions[1], batch),
            "keep_attributes": kl(batch.teacher_attributes, of_regions[1]),
            "keep_categories": kl(batch.teacher_categories, of_regions[0]),
        }
    assert set(expected) == set(asdict(CaptionTerms()))
    for name, value in expected.items():
        for weight in (1.0, 2.0):
            found = criterion(**{name: weight})(images, texts, of_images, of_regions, bias, batch)
            assert set(found) == {name} and found[name].item() == pytest.approx(
                weight * value, rel=1e-4
            ), name
    paper = criterion(**asdict(CaptionTerms()))(images, texts, of_images, of_regions, bias, batch)
    assert set(paper) == set(expected) - {"mentioned_attributes"}, (
        "not in the paper: off unless asked for"
    )


def test_base_losses_have_their_weight_and_the_columns_of_the_base_words(small_clip):
    clip = copy.deepcopy(small_clip)
    base = Vocabulary(
        (Word("car", seen=True), Word("mug", seen=True)),
        (Word("striped", seen=True), Word("red", seen=True)),
    )
    model = CaptionModel(
        clip,
        TextClassifier(clip, LearnedPrompts(clip.text_width, (1, 1, 1)), bias=0.0),
        WORDS,
        base,
        criterion(),
        lambda categories, attributes, batch: {
            "categories": categories,
            "attributes": attributes,
            **batch,
        },
        CaptionTraining(base_weight=3.0, terms=CaptionTerms(image_phrase=0, image_phrases=0)),
    )
    found = model._base_losses(
        torch.tensor([[1.0, 2.0, 4.0]]),
        torch.tensor([[8.0, 16.0, 32.0]]),
        {"also": torch.tensor(5.0)},
    )
    assert {name: loss.tolist() for name, loss in found.items()} == {
        "base_categories": [[12, 3]],
        "base_attributes": [[96, 24]],
        "base_also": 15,
    }


def test_a_learned_bias_does_not_turn_around_what_the_divisors_do(texts):
    images = torch.nn.functional.normalize(torch.randn(2, 128), dim=1)
    of_images, of_regions = (
        (torch.randn(2, 2), torch.randn(2, 4)),
        (torch.randn(3, 2), torch.randn(3, 4)),
    )
    paper = criterion(**asdict(CaptionTerms()))
    plain = paper(images, texts, of_images, of_regions, torch.tensor(0.0), batch_of())
    bias = torch.tensor(-10.0, requires_grad=True)
    biased = paper(
        images,
        texts,
        tuple(z + bias for z in of_images),
        tuple(z + bias for z in of_regions),
        bias,
        batch_of(),
    )
    for name, loss in plain.items():
        assert biased[name].item() == pytest.approx(loss.item(), abs=1e-5), name
    assert torch.autograd.grad(sum(biased.values()), bias)[0].item() == pytest.approx(0, abs=1e-5)


def test_offline_files_are_sharded_resumable_and_checked(pseudo_labels, tiny_world, step_one):
    images = load_captions(tiny_world.captions, tiny_world.images)
    files = [image.file for image in images]
    proposals = read_proposals(pseudo_labels / "proposals")
    assert len(proposals) == 8 and proposals["0.png"].boxes.tolist()[2] == [0, 0, 70, 60], (
        "the largest one is kept beyond the limit"
    )
    (pseudo_labels / "proposals" / "00001.json").unlink()
    assert (
        write_proposals(FixedProposer(), files, pseudo_labels / "proposals", shard=3, limit=2) == 3
    )
    with pytest.raises(InputError, match="other images"):
        write_proposals(FixedProposer(), files[::-1], pseudo_labels / "proposals", shard=3)
    taught, categories, attributes = read_pseudo_labels(pseudo_labels / "labels")
    assert categories == ["mug", "key", "car"]
    assert attributes == ["red", "gray", "striped"]
    assert taught["3.png"].attribute_logits.shape == (3, 3)
    with pytest.raises(InputError, match="other images or words"):
        write_pseudo_labels(
            ovarnet.load(step_one, device="cpu"),
            images[::-1],
            proposals,
            pseudo_labels / "labels",
            shard=3,
        )
    with pytest.raises(InputError, match="holds no pseudo-labels"):
        read_pseudo_labels(pseudo_labels)


def test_the_subset_has_only_captions_with_a_known_word(
    tiny_world, step_one, pseudo_labels, tmp_path
):
    _, _, checkpoint = open_clip_attr(step_one)
    content = json.loads(tiny_world.captions.read_text())
    content["annotations"] = [
        {"id": 0, "image_id": 0, "caption": "nothing known here"},
        {"id": 1, "image_id": 0, "caption": "a gray thing"},
        {"id": 2, "image_id": 1, "caption": "nothing known here"},
    ]
    (tmp_path / "captions.json").write_text(json.dumps(content))
    opened = [
        CaptionData.open(
            tmp_path / "captions.json",
            tiny_world.images,
            pseudo_labels / "labels",
            checkpoint.vocabulary,
            **how,
        )
        for how in ({"require_known_words": True}, {}, {"limit": 1})
    ]
    assert [
        [[caption.text for caption in captions] for captions in data.parsed] for data in opened
    ] == [
        [["a gray thing"]],
        [["nothing known here", "a gray thing"], ["nothing known here"]],
        [["nothing known here", "a gray thing"]],
    ]
    content["annotations"] = content["annotations"][2:]
    (tmp_path / "captions.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="none names a word that the step I model knows"):
        CaptionData.open(
            tmp_path / "captions.json",
            tiny_world.images,
            pseudo_labels / "labels",
            checkpoint.vocabulary,
            require_known_words=True,
        )


def test_proposals_that_may_show_novel_boxes_do_not_enter_training(
    pseudo_labels, tmp_path, tiny_world
):
    class Torchvision(FixedProposer):
        provenance = "has seen all 80 COCO classes"

    write_proposals(Torchvision(), [str(tiny_world.images / "0.png")], tmp_path)
    with pytest.raises(
        InputError,
        match=r"may bring boxes of novel categories into training \(has seen all 80 COCO classes\)",
    ):
        read_proposals(tmp_path)
    with pytest.raises(InputError, match="holds proposals of another proposer"):
        write_proposals(FixedProposer(), [str(tiny_world.images / "0.png")], tmp_path)


def test_an_image_that_cannot_be_read_is_left_out_named_and_tried_again(tmp_path, capsys):
    files = [picture(tmp_path / "in" / name, 70, 60) for name in ("a.png", "b.png", "c.png")]
    whole = files[1].read_bytes()
    propose = [
        "propose",
        "--images",
        str(tmp_path / "in"),
        "--output",
        str(tmp_path / "out"),
        "--shard",
        "2",
        "--device",
        "cpu",
    ]
    for file in files[:2]:
        file.write_bytes(b"no image")
    assert main(propose) == 2
    assert capsys.readouterr().err.endswith(
        "".join(
            [
                "error: 2 of 3 images could not be used:\n",
                *(
                    f"  {file}: not an image that can be read; convert it to JPEG or PNG\n"
                    for file in files[:2]
                ),
            ]
        )
    )
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "00001.json",
        "proposer.json",
    ]
    files[1].write_bytes(whole)
    assert main(propose) == 2
    assert capsys.readouterr().out.startswith(
        f"{tmp_path / 'out'}: proposals of 1 images now, 3 images in all"
    )
    assert list(read_proposals(tmp_path / "out")) == ["b.png", "c.png"]
    files[0].write_bytes(whole)
    assert main(propose) == 0
    assert list(read_proposals(tmp_path / "out")) == ["a.png", "b.png", "c.png"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("nope", None, "nope: no such folder; --images needs the folder of the images"),
        (
            "in",
            {"a.png": b"", "b.png": b"x"},
            r"none of the 2 images can be read: 2 x image unreadable \(e.g. .*a\.png: the file is empty",
        ),
        (
            "in",
            {"a/x.png": b"", "b/x.png": b""},
            r"in/a/x\.png and .*in/b/x\.png have the same file name",
        ),
    ],
)
def test_propose_refuses_what_gives_no_proposals(name, content, message, tmp_path, capsys):
    for file, data in (content or {}).items():
        (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name / file).write_bytes(data)
    assert (
        main(
            [
                "propose",
                "--images",
                str(tmp_path / name),
                "--output",
                str(tmp_path / "out"),
                "--device",
                "cpu",
            ]
        )
        == 2
    )
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


def test_propose_into_a_file_is_refused(tmp_path, capsys):
    image = picture(tmp_path / "in/a.png", 70, 60)
    assert main(["propose", "--images", str(image.parent), "--output", str(image)]) == 2
    assert "a.png: is a file; --output needs a folder" in capsys.readouterr().err


def test_stored_proposals_serve_distillation_and_gaps_are_named(
    pseudo_labels, tiny_world, tmp_path
):
    found = stored_proposals([pseudo_labels / "proposals"], ["somewhere/3.png"], 1)
    assert found["somewhere/3.png"].boxes.tolist() == [[4, 4, 34, 24]]
    lost = shutil.copy(tiny_world.images / "3.png", tmp_path / "lost.png")
    with pytest.raises(InputError, match=r"no proposals of 1 of 2 images, such as .*lost\.png"):
        stored_proposals([pseudo_labels / "proposals"], ["3.png", lost], 1)
    lost.write_bytes(lost.read_bytes()[:200])
    with pytest.raises(InputError, match=r"lost\.png.* cannot be (decoded|read)"):
        stored_proposals([pseudo_labels / "proposals"], ["3.png", lost], 1)


def caption_settings(tiny_world, step_one, pseudo_labels, output, **more):
    source = {"root": str(tiny_world.root)}
    given = {
        "stage": "clip_attr_captions",
        "output": str(output),
        "start": str(step_one),
        "captions": str(tiny_world.captions),
        "images": str(tiny_world.images),
        "pseudo_labels": str(pseudo_labels / "labels"),
        "detection": source,
        "attributes": source,
        "base_batch": 4,
        "phrase_vectors": 2,
        "rules": {"sure_category": 0.1, "told": 0.1},
        "optimisation": {"iterations": 2, "batch_size": 3, "lr": 1e-3, "save_every": 1},
    }
    return resolve(OmegaConf.merge(given, more), "test")


def test_a_novel_word_is_a_target_only_where_the_caption_says_it(
    tiny_world, step_one, pseudo_labels, small_clip
):
    _, _, checkpoint = open_clip_attr(step_one)
    data = CaptionData.open(
        tiny_world.captions, tiny_world.images, pseudo_labels / "labels", checkpoint.vocabulary
    )
    everything_likely = {
        name: replace(
            t, category_logits=t.category_logits * 0, attribute_logits=t.attribute_logits * 0 + 9
        )
        for name, t in data.taught.items()
    }
    rules = PseudoLabelRules(sure_category=0.1, told=0.1, nouns=False)
    dataset = CaptionDataset(
        replace(data, taught=everything_likely), CropRule(small_clip, ImageCache(1)), rules, seed=0
    )
    key, gray = data.words.category_index["key"], data.words.attribute_index["gray"]
    for index, caption in enumerate(
        ["a red mug and a gray key", "a car", "a striped key", "an automobile next to a red mug"]
    ):
        batch = dataset.__getitems__([(0, CAPTIONS, index)])
        assert batch.captions == [caption]
        for targets in (batch.image_categories, batch.region_categories):
            assert targets[:, key].tolist() == [("key" in caption)] * len(targets)
        for targets in (batch.image_attributes, batch.region_attributes):
            assert targets[:, gray].tolist() == [("gray" in caption)] * len(targets)
        assert len(batch.region_categories) == 3
        assert batch.region_attributes[:, data.words.attribute_index["red"]].all()
    said = dataset.data.parsed[0][0]
    told_of = CaptionDataset(data, dataset.crops, PseudoLabelRules(), seed=0)._mentioned_of(
        said, dataset._mentioned(said)[1]
    )
    columns = data.words.category_index, data.words.attribute_index
    assert [
        (c, a) for c in columns[0] for a in columns[1] if told_of[columns[0][c], columns[1][a]]
    ] == [("mug", "red"), ("key", "gray")]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {
            "base_batch": 0,
            "terms": {"image_phrase": 0, "image_phrases": 0},
            "trained": {"image_tower": 0},
        },
    ],
    ids=["all terms", "few terms"],
)
def test_resume_continues_the_same_run_and_the_folder_opens(
    tiny_world, step_one, pseudo_labels, tmp_path, interrupted, more
):
    whole = train_with_captions(
        caption_settings(tiny_world, step_one, pseudo_labels, tmp_path / "whole", **more),
        Accelerator(cpu=True),
    )
    broken = caption_settings(tiny_world, step_one, pseudo_labels, tmp_path / "broken", **more)
    interrupted(train_with_captions, broken)
    resumed = train_with_captions(broken, Accelerator(cpu=True), resume=True)
    for file in ("clip", "prompts"):
        assert (whole / f"{file}.safetensors").read_bytes() == (
            resumed / f"{file}.safetensors"
        ).read_bytes()
    model, image = ovarnet.load(whole, device="cpu"), str(tiny_world.images / "0.png")
    found = model.detect(image, attributes=["red"], categories=[], boxes=[[4, 4, 34, 24]])
    assert found.attribute_scores.shape == (1, 1)


@pytest.fixture(scope="module")
def trained_on_coco(tiny_world, step_one, pseudo_labels, tmp_path_factory):
    config = caption_settings(tiny_world, step_one, pseudo_labels, tmp_path_factory.mktemp("coco"))
    return train_with_captions(config, Accelerator(cpu=True))


def test_tables_and_shards_go_through_every_caption_stage_as_coco_does(
    corpus, trained_on_coco, tiny_world, step_one, pseudo_labels, tmp_path
):
    captions, images = corpus
    where = ["--captions", captions, *(["--images", images] if images else [])]
    assert (
        main(
            [
                "propose",
                "--proposer",
                "scenes",
                "--limit",
                "3",
                "--output",
                str(tmp_path / "proposals"),
                *where,
            ]
        )
        == 0
    )
    assert len(read_proposals(tmp_path / "proposals")) == 8
    assert (
        write_proposals(
            FixedProposer(),
            [image.file for image in load_captions(captions, images)],
            tmp_path / "fixed",
            limit=2,
        )
        == 8
    )
    assert (
        main(
            [
                "pseudo-label",
                "--model",
                str(step_one),
                "--proposals",
                str(tmp_path / "fixed"),
                "--output",
                str(tmp_path / "labels"),
                "--device",
                "cpu",
                *where,
            ]
        )
        == 0
    )
    expected, found = (
        read_pseudo_labels(folder / "labels")[0] for folder in (pseudo_labels, tmp_path)
    )
    assert found.keys() == expected.keys()
    assert all(
        torch.equal(found[name].attribute_logits, expected[name].attribute_logits)
        for name in expected
    )
    trained = train_with_captions(
        caption_settings(
            tiny_world, step_one, tmp_path, tmp_path / "run", captions=captions, images=images
        ),
        Accelerator(cpu=True),
    )
    assert (
        len(
            {(folder / "prompts.safetensors").read_bytes() for folder in (trained, trained_on_coco)}
        )
        == 1
    ), "to the last bit"


def test_clip_pretraining_reads_tables_and_shards(corpus, tmp_path, capsys):
    captions, images = corpus
    (tmp_path / "clip.yaml").write_text(f"""
        {{stage: clip, output: {tmp_path}/run, root: {tmp_path}, captions: "{captions}", images: {images or "none"},
         clip: {{name: ovarnet-scenes}}, image_cache_mb: {int(images is None)}, init_logit_scale: 500,
         optimisation: {{iterations: 2, batch_size: 4}}}}""")
    assert main(["train", str(tmp_path / "clip.yaml")]) == 0
    assert str(tmp_path / "run") in capsys.readouterr().out
    scale = load_file(tmp_path / "run/checkpoint/clip.safetensors")["logit_scale"]
    assert scale.item() == pytest.approx(math.log(100)), "bounded, wherever it starts"


def test_a_model_without_learned_prompts_cannot_start_step_two(start_files):
    with pytest.raises(InputError, match="train step I first"):
        open_clip_attr(start_files.proposer)


def test_the_settings_of_the_loss_reach_it(
    tiny_world, step_one, pseudo_labels, tmp_path, monkeypatch
):
    made = []
    monkeypatch.setattr(
        captions,
        "run_stage",
        lambda model, *_, after_step, **more: made.extend([model, after_step]) or model,
    )
    train_with_captions(
        caption_settings(
            tiny_world,
            step_one,
            pseudo_labels,
            tmp_path,
            unmentioned_weight=0.7,
            unknown_divisors=[7, 3],
            base_weight=4,
            tower_regularisation=6,
            trained={"image_tower": 0.1},
            terms={"mentioned_attributes": 2},
            loss={"category_weight": 5},
        ),
        Accelerator(cpu=True),
    )
    judge = made[0].criterion
    assert (
        judge.unmentioned_weight,
        tuple(judge.divisors),
        judge.terms.mentioned_attributes,
        judge.novel.tolist(),
    ) == (0.7, (7, 3), 2, [False, True, False]), "of red, gray and striped, gray is novel"
    assert made[1] is TrainableClipAttr.bound_temperature
    assert (
        made[0].base_weight,
        made[0].base_criterion.settings.category_weight,
        made[0].tower.weight,
    ) == (4, 5, 6)


def test_phrases_too_long_are_cut(small_clip):
    prompts = PhrasePrompts(small_clip.text_width, 3)
    long = " ".join(["mug"] * 300)
    assert prompts.encode(copy.deepcopy(small_clip), [long, "mug"]).shape == (
        2,
        small_clip.embed_dim,
    )


def test_step_two_refuses_a_start_with_labels_of_novel_words(
    tiny_world, step_one, pseudo_labels, tmp_path, taught
):
    config = caption_settings(
        tiny_world, taught(step_one, "attributes", "gray"), pseudo_labels, tmp_path
    )
    with pytest.raises(InputError, match="such as 'gray', had labels in the training"):
        train_with_captions(config, Accelerator(cpu=True))


def test_step_two_names_base_words_that_step_one_does_not_know(
    tiny_world, step_one, pseudo_labels, tmp_path
):
    root = shutil.copytree(tiny_world.root, tmp_path / "world")
    words = (root / "vocabulary.json").read_text().replace("striped", "spotted")
    (root / "vocabulary.json").write_text(words)
    for file in root.glob("annotations/attributes_*.json"):
        file.write_text(file.read_text().replace("striped", "spotted"))
    source = {"root": str(root)}
    config = caption_settings(
        tiny_world, step_one, pseudo_labels, tmp_path / "run", detection=source, attributes=source
    )
    with pytest.raises(
        InputError, match=r"1 base word\(s\) of the data, such as 'spotted', are unknown to"
    ):
        train_with_captions(config, Accelerator(cpu=True))
