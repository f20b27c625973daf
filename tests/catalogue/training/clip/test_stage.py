"""The stage on a small shop: a photo CLIP by stored features, any other by pixels."""

from pathlib import Path

import open_clip
import pytest
import torch
from accelerate import Accelerator
from narrow_clips import narrow_clips
from omegaconf import OmegaConf
from shop_files import write_fashion_gen, write_pairs, write_shop

from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.modeling.encoder import load_encoder
from ovarnet.catalogue.training.clip.stage import label_vocabulary, product_boxes
from ovarnet.checkpoint import save_checkpoint
from ovarnet.cli.main import main
from ovarnet.config import load_config, resolve
from ovarnet.errors import InputError
from ovarnet.io.files import read_json
from ovarnet.training import train
from ovarnet.vocabulary import Vocabulary

CONFIGS = Path(__file__).parents[4] / "configs" / "catalogue"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    root = write_shop(tmp_path_factory.mktemp("stage") / "shop", 48)
    assert main(["prepare", "catalogue", "--root", str(root)]) == 0
    return root


def settings(root, output, model, iterations=2, **given):
    return resolve(
        OmegaConf.create(
            {
                "stage": "catalogue_clip",
                "output": str(output),
                "data": {"root": str(root)},
                "model": str(model),
                "queue": 8,
                "optimisation": {
                    "iterations": iterations,
                    "batch_size": 8,
                    "lr": 1e-3,
                    "warmup": 0,
                    "save_every": 1,
                },
                **given,
            }
        ),
        "test",
    )


def saved(clip, folder):
    return save_checkpoint(
        folder,
        model="clip",
        settings={"clip": {"name": clip.name}},
        vocabulary=Vocabulary(),
        parts={"clip": clip.model.state_dict()},
    )


@pytest.mark.slow
def test_the_head_of_a_photo_clip_learns_from_stored_features(
    shop, photo_clip, small_photos, tmp_path
):
    start = saved(photo_clip, tmp_path / "start")
    config = settings(shop, tmp_path / "run", start)
    folder = train(config, Accelerator(cpu=True))
    trained, before = load_encoder(folder, device="cpu"), load_encoder(start, device="cpu")
    own, old = trained.clip.model.state_dict(), before.clip.model.state_dict()
    changed = {name for name in own if not torch.equal(own[name], old[name])}
    assert changed
    assert all(name.startswith(("visual.head.", "text.proj.", "logit_scale")) for name in changed)
    assert list((shop / "prepared/features").iterdir())
    assert "red plate" in read_json(tmp_path / "run/concepts.json")

    # a resumed run ends with the same weights, queues included
    again = settings(shop, tmp_path / "again", start, iterations=1)
    train(again, Accelerator(cpu=True))
    resumed = train(settings(shop, tmp_path / "again", start), Accelerator(cpu=True), resume=True)
    other = load_encoder(resumed, device="cpu").clip.model.state_dict()
    assert all(torch.equal(own[name], other[name]) for name in own)


@pytest.mark.slow
def test_both_towers_of_another_clip_learn_from_pixels(shop, tmp_path):
    config = settings(shop, tmp_path / "run", "scenes-clip-attr", iterations=1)
    folder = train(config, Accelerator(cpu=True))
    own = load_encoder(folder, device="cpu").clip.model.state_dict()
    old = load_encoder("scenes-clip-attr", device="cpu").clip.model.state_dict()
    changed = {name for name in own if not torch.equal(own[name], old[name])}
    assert any(name.startswith("visual.") for name in changed)
    assert any(name.startswith("transformer.") for name in changed)


@pytest.mark.slow
def test_a_file_of_fashion_gens_form_trains(tmp_path):
    pytest.importorskip("h5py")
    write_fashion_gen(tmp_path / "fashiongen_256_256_train.h5", products=10)
    (tmp_path / "catalogue.yaml").write_text("table: {train: fashiongen_256_256_train.h5}\n")
    assert main(["prepare", "catalogue", "--root", str(tmp_path)]) == 0
    data = {"root": str(tmp_path), "foreground": False}
    config = settings(tmp_path, tmp_path / "run", "scenes-clip-attr", 1, data=data, prototypes=0.0)
    assert train(config, Accelerator(cpu=True)).is_dir()


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["ViT-B-32-quickgelu", "ViT-L-14-quickgelu"])
def test_the_recipe_at_full_size_takes_a_step_on_pairs_in_easynlps_form(architecture, tmp_path):
    """The towers are those of the recipe, narrower; their weights a file in open_clip's form.

    The result is indexed, as the fashion CLIPs that others publish in this form are.
    """
    write_pairs(tmp_path / "pairs.tsv", 30)
    assert main(["prepare", "catalogue", "--root", str(tmp_path)]) == 0
    with narrow_clips():
        start = open_clip.create_model(architecture)
        torch.save(start.state_dict(), tmp_path / "start.pt")
        config = load_config(
            CONFIGS / "clip_full.yaml",
            [
                f"data.root={tmp_path}",
                f"output={tmp_path / 'run'}",
                f"model=clip-attr:{architecture}/{tmp_path / 'start.pt'}",
                "queue=8",
                "prototypes=0",  # these pairs have no labels and few titles
                "optimisation.iterations=1",
                "optimisation.batch_size=4",
                "optimisation.workers=0",
                "optimisation.mixed_precision=no",
            ],
        )
        trained = load_encoder(train(config, Accelerator(cpu=True)), device="cpu")
        changed = trained.clip.model.state_dict()
        assert any(not torch.equal(v, changed[k]) for k, v in start.state_dict().items())
        stock = f"clip-attr:{architecture}/{tmp_path / 'start.pt'}"
        words = ["--root", str(tmp_path), "--model", stock, "--output", str(tmp_path / "index")]
        assert main(["catalogue", "index", *words]) == 0
        assert main(["catalogue", "search", str(tmp_path / "index"), "red plate"]) == 0


def test_without_concepts_prototypes_are_refused(tmp_path):
    root = write_shop(tmp_path / "shop", 4)
    main(["prepare", "catalogue", "--root", str(root)])
    with pytest.raises(InputError, match="give prototypes=0"):
        train(settings(root, tmp_path / "run", "scenes-clip-attr"), Accelerator(cpu=True))


def test_boxes_are_the_foreground_or_the_whole_photo(shop):
    products = open_catalogue(shop).products[:1]
    assert product_boxes(products, foreground=True).tolist() == [[10, 18, 45, 63]]
    assert product_boxes(products, foreground=False).tolist() == [[0, 0, 64, 80]]


def test_labels_become_the_vocabulary(shop):
    vocabulary = label_vocabulary(open_catalogue(shop))
    assert [(word.name, word.parent) for word in vocabulary.categories] == [
        ("plate", "home"),
        ("book", "home"),
    ]
    assert {(word.name, word.parent) for word in vocabulary.attributes} == {
        ("red", "color"),
        ("blue", "color"),
        ("green", "color"),
    }
