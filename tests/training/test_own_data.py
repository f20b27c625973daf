"""A few pictures of one's own: prepare, learn a linear probe or prompts from any checkpoint,
evaluate, detect."""

import json
from dataclasses import replace

import pytest
import torch
from accelerate import Accelerator
from omegaconf import OmegaConf
from PIL import Image

import ovarnet
from ovarnet.cli.main import main
from ovarnet.config.settings import resolve
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.modeling.text.linear_probe import LinearProbe
from ovarnet.structures import NEGATIVE, POSITIVE, UNKNOWN
from ovarnet.training import train
from ovarnet.training.clip_attr.probe_fit import TEXT_ALONE, ProbeData, held_out_loss, solve

COLORS = {"red": (220, 30, 30), "blue": (30, 30, 220), "green": (30, 160, 30)}
SIZES = {"poster": (8, 4, 32, 48), "belt": (2, 20, 60, 10)}


def products(count, first=0):
    """Pictures of one thing on white, as a catalogue has them; the box is the whole thing."""
    for number in range(first, first + count):
        kind, color = list(SIZES)[number % 2], list(COLORS)[number % 3]
        yield number, kind, color


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    root = tmp_path_factory.mktemp("mine")
    (root / "images").mkdir()
    for split, part in (("train", list(products(12))), ("test", list(products(6, 12)))):
        for number, kind, color in part:
            picture = Image.new("RGB", (64, 56), "white")
            x, y, w, h = SIZES[kind]
            picture.paste(
                tuple(max(0, value - number) for value in COLORS[color]), (x, y, x + w, y + h)
            )
            picture.save(root / "images" / f"{number}.png")
        (root / f"{split}.json").write_text(
            json.dumps(
                {
                    "images": [
                        {"id": number, "file_name": f"{number}.png"} for number, _, _ in part
                    ],
                    "categories": [{"id": n, "name": name} for n, name in enumerate(SIZES)],
                    "annotations": [
                        {
                            "id": number,
                            "image_id": number,
                            "category_id": list(SIZES).index(kind),
                            "bbox": SIZES[kind],
                            "attributes": [color],
                        }
                        for number, kind, color in part
                    ],
                    "unlisted_attributes": "negative",
                }
            )
        )
    assert main(["prepare", "custom", "--root", str(root)]) == 0
    return root


def given(stage, catalogue, output, start="scenes-clip-attr", **more):
    source = {"dataset": "custom", "root": str(catalogue)}
    data = {"data": source} if stage == "probe" else {"detection": source, "attributes": source}
    return resolve(
        OmegaConf.merge({"stage": stage, "output": str(output), "start": str(start), **data}, more),
        "test",
    )


@pytest.fixture(scope="module")
def probed(catalogue, tmp_path_factory):
    return train(
        given("probe", catalogue, tmp_path_factory.mktemp("probe"), folds=3, strengths=[0.1]),
        Accelerator(cpu=True),
    )


def accuracy(model, catalogue):
    """Share of the test pictures whose best color and best category are right."""
    vocabulary, images = open_dataset("custom", catalogue, "test")
    found = model.detect(
        [image.file for image in images],
        boxes=[image.boxes for image in images],
        categories=list(vocabulary.categories),
        attributes=list(vocabulary.attributes),
    )
    colors = [
        image.attributes[0, one.attribute_scores[0].argmax()] == POSITIVE
        for one, image in zip(found, images, strict=True)
    ]
    kinds = [
        one.category_scores[0].argmax() == image.categories[0]
        for one, image in zip(found, images, strict=True)
    ]
    return sum(map(bool, colors)) / 6, sum(map(bool, kinds)) / 6


def test_a_probe_learns_the_words_of_a_dozen_pictures(probed, catalogue, capsys):
    model = ovarnet.load(probed, device="cpu")
    assert min(accuracy(model, catalogue)) >= 5 / 6, "of 6 pictures; chance is 1/3 and 1/2"
    assert model.vocabulary.attribute_names == [
        "red",
        "blue",
        "green",
    ]
    assert model.vocabulary.category_names == ["poster", "belt"]
    assert (
        main(
            [
                "evaluate",
                "--model",
                str(probed),
                "--dataset",
                "custom",
                "--root",
                str(catalogue),
                "--settings",
                "box-given",
            ]
        )
        == 0
    )
    assert "category accuracy" in capsys.readouterr().out
    found = model.detect(str(catalogue / "images/0.png"))
    assert found.category_scores.shape[1] == 2
    assert len(found) > 0


def test_a_probe_that_starts_from_a_probed_model_replaces_the_old_one(probed, catalogue, tmp_path):
    again = train(
        given("probe", catalogue, tmp_path, probed, folds=3, strengths=[0.1]), Accelerator(cpu=True)
    )
    assert (again / "probe.safetensors").read_bytes() == (probed / "probe.safetensors").read_bytes()
    before, after = (ovarnet.load(folder, device="cpu") for folder in (probed, again))
    assert accuracy(after, catalogue) == accuracy(before, catalogue)


def test_words_without_labels_keep_the_rank_of_their_text(probed, catalogue):
    model, plain = (
        ovarnet.load(probed, device="cpu"),
        ovarnet.load("scenes-clip-attr", device="cpu"),
    )
    _, images = open_dataset("custom", catalogue, "test")
    files, boxes = [image.file for image in images], [image.boxes for image in images]

    def scores(one, *words):
        return torch.cat(
            [
                found.attribute_scores
                for found in one.detect(files, boxes=boxes, categories=[], attributes=list(words))
            ]
        )

    before, after = scores(plain, "striped", "red"), scores(model, "striped", "red")
    assert torch.equal(before[:, 0].argsort(), after[:, 0].argsort())
    assert not torch.allclose(before[:, 1], after[:, 1], rtol=0.1)
    assert torch.allclose(scores(model, "red")[:, 0], after[:, 1]), (
        "a word's score does not depend on the others"
    )


def test_prompts_learn_from_hand_written_and_from_learned_ones(catalogue, tmp_path):
    settings = {
        "prompt_vectors": [2, 1, 1],
        "cached_views": 1,
        "trained": {"prompts": 1, "text_tower": 0, "scale": 1, "bias": 10},
        "optimisation": {"iterations": 3, "batch_size": 8, "lr": 1e-3},
    }
    first = train(
        given("clip_attr", catalogue, tmp_path / "one", **settings), Accelerator(cpu=True)
    )
    second = train(
        given("clip_attr", catalogue, tmp_path / "two", first, **settings), Accelerator(cpu=True)
    )
    one, two = (ovarnet.load(folder, device="cpu") for folder in (first, second))
    tower = ovarnet.load("scenes-clip-attr", device="cpu").clip.model.state_dict()
    assert all(
        torch.equal(value, tower[key])
        for key, value in two.clip.model.state_dict().items()
        if key != "logit_scale"
    )
    moved = (two.classifier.prompts.vectors - one.classifier.prompts.vectors).abs().max()
    assert 0 < moved < 0.02, "the second run goes on from the vectors of the first"
    assert len(two.detect(str(catalogue / "images/0.png"))) > 0
    probed = train(
        given("probe", catalogue, tmp_path / "three", first, folds=2, strengths=[0.1]),
        Accelerator(cpu=True),
    )
    before, after = (
        accuracy(one, catalogue),
        accuracy(ovarnet.load(probed, device="cpu"), catalogue),
    )
    assert after[0] >= before[0] and after[1] > before[1], (
        "labels teach the categories and cost no color"
    )
    with pytest.raises(InputError, match="has a linear probe"):
        train(
            given("clip_attr", catalogue, tmp_path / "four", probed, **settings),
            Accelerator(cpu=True),
        )


@pytest.mark.parametrize("start", ["clip-attr:ovarnet-scenes/{clip}", "scenes"])
def test_any_start_is_saved_as_a_whole_model(catalogue, start_files, tmp_path, start):
    """A CLIP of one's choice; the shipped OvarNet, a part of which lies in another folder."""
    config = given(
        "probe", catalogue, tmp_path, start.format(clip=start_files.clip), folds=2, strengths=[0.1]
    )
    folder = train(config, Accelerator(cpu=True))
    assert (
        len(
            ovarnet.load(folder, device="cpu").detect(
                str(catalogue / "images/1.png"), categories=["belt"], attributes=[]
            )
        )
        > 0
    )


def test_settings_that_cannot_work(catalogue, tmp_path):
    with pytest.raises(InputError, match="give `start`, a CLIP-Attr to go on from, or both"):
        train(replace(given("clip_attr", catalogue, tmp_path), start=None), Accelerator(cpu=True))
    with pytest.raises(InputError, match="brings its own CLIP"):
        train(
            given("clip_attr", catalogue, tmp_path, clip={"name": "ovarnet-scenes"}),
            Accelerator(cpu=True),
        )


@pytest.mark.parametrize(
    "words",
    [
        {
            "categories": ["poster", "belt"],
            "attributes": list(COLORS),
        },  # every box is of a novel category
        {"categories": [], "attributes": list(COLORS)},
    ],
)  # boxes of unknown category are left, without a word to learn
def test_a_probe_needs_base_words(catalogue, tmp_path, words):
    (tmp_path / "images").symlink_to(catalogue / "images")
    (tmp_path / "train.json").write_text((catalogue / "train.json").read_text())
    (tmp_path / "vocabulary.json").write_text(json.dumps(words))
    with pytest.raises(
        InputError, match=f"{tmp_path}: nothing is left to learn from in split train"
    ):
        train(given("probe", tmp_path, tmp_path / "out"), Accelerator(cpu=True))
    assert not (tmp_path / "out/checkpoint").exists()


def lesson(labels, seed=0):
    """12 boxes of 12 images; the first number of the embedding is +1 or -1 as the first word's
    labels say. The text says nothing."""
    draw = torch.Generator().manual_seed(seed)
    embeddings = 0.1 * torch.randn(12, 4, generator=draw)
    embeddings[:, 0] = torch.tensor([1.0, -1.0] * 6)
    return ProbeData(
        torch.randn(12, labels.shape[1], generator=draw), labels, embeddings, torch.arange(12)
    )


def test_the_linear_term_is_chosen_where_it_helps_on_held_out_images():
    useful = torch.tensor([POSITIVE, NEGATIVE] * 6, dtype=torch.int8)[:, None]
    assert (
        held_out_loss(lesson(useful), 0.01, 4, 0)
        < 0.2
        < 0.6
        < held_out_loss(lesson(useful), TEXT_ALONE, 4, 0)
    )
    noise = torch.tensor([1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0], dtype=torch.int8)[:, None]
    assert held_out_loss(lesson(noise), 0.001, 4, 0) > held_out_loss(
        lesson(noise), TEXT_ALONE, 4, 0
    )


def test_the_fit_is_where_the_stated_loss_has_no_slope():
    """Embeddings far from the origin and of another length, text scores of another scale: neither
    may be lost on the way."""
    labels = torch.tensor(
        [[POSITIVE, NEGATIVE], [NEGATIVE, POSITIVE], [NEGATIVE, UNKNOWN]] * 4, dtype=torch.int8
    )
    given, strength = lesson(labels), 0.05
    given.embeddings, given.logits = 3 * (given.embeddings + 2), 5 * given.logits - 20
    (gain, bias), weights = solve(given, strength)
    unit = given.embeddings / given.embeddings.norm(dim=1, keepdim=True)
    centre = unit.mean(dim=0)
    spread = ((unit - centre) ** 2).sum(dim=1).mean().sqrt()
    slopes, intercepts = weights[:, :-1], weights[:, -1]
    z = gain * given.logits + bias + unit @ slopes.T + intercepts
    errors = torch.where(labels == UNKNOWN, 0.0, z.sigmoid() - (labels == POSITIVE).float()) / (
        labels != UNKNOWN
    ).sum(dim=0)
    at_centre = slopes @ centre + intercepts
    assert at_centre.abs().min() > 0.01 and slopes.abs().max() > 1, (
        "a case without a linear term would show nothing"
    )
    assert (errors.sum(dim=0) + strength * at_centre).tolist() == pytest.approx([0, 0], abs=1e-4)
    assert (
        errors.T @ (unit - centre) / spread + strength * slopes * spread
    ).flatten().tolist() == pytest.approx([0] * 8, abs=1e-4)


@pytest.mark.parametrize("strength", [0.01, TEXT_ALONE])
def test_scale_and_offset_of_the_text_scores_do_not_matter(strength):
    labels = torch.tensor([1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0], dtype=torch.int8)[:, None]
    one, other = lesson(labels), lesson(labels)
    other.logits = 0.1 * other.logits - 7
    assert held_out_loss(other, strength, 4, 0) == pytest.approx(
        held_out_loss(one, strength, 4, 0), rel=1e-3
    )


def test_unknown_labels_teach_nothing():
    labels = torch.tensor([[POSITIVE, UNKNOWN], [NEGATIVE, UNKNOWN]] * 6, dtype=torch.int8)
    _, weights = solve(lesson(labels), 0.01)
    assert weights[0].abs().max() > 1
    assert weights[1].abs().max() == 0


def test_the_stored_form_is_the_fitted_one():
    """z + v.w + b with unit v equals the centred and scaled form that was fitted, and unknown names
    get gain and bias alone."""
    probe = LinearProbe({"category": [], "attribute": ["red"]}, 2)
    probe.set("attribute", (2.0, 0.5), torch.tensor([[3.0, 0.0, 1.0]]))
    scores = probe(
        torch.tensor([[1.0, 1.0]]), torch.tensor([[10.0, 0.0]]), "attribute", ["new", "red"]
    )
    assert scores.tolist() == [[2.5, 6.5]]
    assert probe(torch.zeros(0, 2), torch.zeros(0, 2), "attribute", ["new", "red"]).shape == (0, 2)
