"""The stage "probe" on a dozen images."""

import json

import pytest
import torch
from accelerate import Accelerator
from catalogue_data import COLORS, accuracy, given

import ovarnet
from ovarnet.cli.main import main
from ovarnet.data.datasets import open_dataset
from ovarnet.errors import InputError
from ovarnet.training import train


@pytest.fixture(scope="module")
def probed(catalogue, tmp_path_factory):
    return train(
        given("probe", catalogue, tmp_path_factory.mktemp("probe"), penalties=[0.1]),
        Accelerator(cpu=True),
    )


@pytest.mark.slow
def test_a_probe_learns_the_words_of_a_dozen_images(probed, catalogue, capsys):
    model = ovarnet.load(probed, device="cpu")
    assert min(accuracy(model, catalogue)) >= 5 / 6, "of 6 images; chance is 1/3 and 1/2"
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


@pytest.mark.slow
def test_a_probe_initialised_from_a_probed_model_replaces_the_old_one(probed, catalogue, tmp_path):
    again = train(
        given("probe", catalogue, tmp_path, probed, penalties=[0.1]), Accelerator(cpu=True)
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


@pytest.mark.slow
@pytest.mark.parametrize("start", ["clip-attr:ovarnet-scenes/{clip}", "scenes"])
def test_any_initial_model_is_saved_whole(catalogue, start_files, tmp_path, start):
    """A CLIP of one's choice; the shipped OvarNet, a part of which lies in another folder."""
    initial = start.format(clip=start_files.clip)
    config = given("probe", catalogue, tmp_path, initial, proposer="scenes", penalties=[0.1])
    folder = train(config, Accelerator(cpu=True))
    assert (
        len(
            ovarnet.load(folder, device="cpu").detect(
                str(catalogue / "images/1.png"), categories=["belt"], attributes=[]
            )
        )
        > 0
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
)  # boxes of unknown category are left, without a base word
def test_a_probe_needs_base_words(catalogue, tmp_path, words):
    (tmp_path / "images").symlink_to(catalogue / "images")
    (tmp_path / "train.json").write_text((catalogue / "train.json").read_text())
    (tmp_path / "vocabulary.json").write_text(json.dumps(words))
    with pytest.raises(
        InputError, match=f"{tmp_path}: nothing is left to learn from in split train"
    ):
        train(given("probe", tmp_path, tmp_path / "out"), Accelerator(cpu=True))
    assert not (tmp_path / "out/checkpoint").exists()
