"""The stage: its losses, a run that is resumed, and the recipes at full size."""

from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from omegaconf import OmegaConf
from safetensors.torch import load_file
from tiny_bert import tiny_bert
from tiny_shop import matcher_settings, tiny_shop
from torchvision.models import resnet18

from ovarnet.catalogue.data.prepared import open_catalogue
from ovarnet.catalogue.losses.adaptive import adaptive_weights
from ovarnet.catalogue.matcher import load_matcher
from ovarnet.catalogue.modeling.bert import Bert
from ovarnet.catalogue.modeling.matcher import MatcherNetwork
from ovarnet.catalogue.modeling.patches import KALEIDO_LEVELS, PatchLayout
from ovarnet.catalogue.modeling.product_bert import ProductBert
from ovarnet.catalogue.modeling.wordpiece import WordPiece
from ovarnet.catalogue.pretext.patch_tasks import GRID_TASKS, KALEIDO_ROWS, KALEIDO_TASKS
from ovarnet.catalogue.training.features import PatchFeatures
from ovarnet.catalogue.training.matcher import (
    MatcherModel,
    task_losses,
    tokenize,
    train_matcher,
)
from ovarnet.catalogue.training.matcher_data import MatcherDataset
from ovarnet.catalogue.training.pairs import OtherProducts
from ovarnet.checkpoint import load_checkpoint
from ovarnet.config import load_config, resolve
from ovarnet.errors import InputError

CONFIGS = Path(__file__).parents[3] / "configs" / "catalogue"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return tiny_shop(tmp_path_factory.mktemp("shop") / "shop", 32)


def learnable(products, levels, tasks):
    """Batches of products whose features tell colour, shape and place, and a small network."""
    torch.manual_seed(0)
    layout = PatchLayout(levels)
    rows = KALEIDO_ROWS if levels == KALEIDO_LEVELS else layout.count
    looks = torch.randn(len(products), 1, 24)
    table = (looks + torch.randn(1, rows, 24)).half().numpy()
    places = torch.rand(len(products), layout.count, 5).numpy()
    tokenizer = WordPiece.train([product.title for product in products])
    data = MatcherDataset(
        products,
        tokenize(tuple(products), tokenizer, 16),
        PatchFeatures(table, places),
        layout,
        tokenizer,
        OtherProducts(products, "any"),
        tasks=tasks,
        pairs=None,
        seed=0,
    )
    bert = Bert(
        vocabulary=tokenizer.size, hidden=32, layers=2, heads=4, feed_forward=64, dropout=0.0
    )
    encoder = ProductBert(bert, layout, features=24, dropout=0.0)
    return data, MatcherNetwork(encoder, features=24, tasks=tasks)


@pytest.mark.parametrize(("levels", "tasks"), [((4,), GRID_TASKS), (KALEIDO_LEVELS, KALEIDO_TASKS)])
def test_every_task_has_a_loss_and_classifications_an_accuracy(shop, levels, tasks):
    data, network = learnable(list(open_catalogue(shop).split("train")), levels, tasks)
    losses, measured = task_losses(network, data.__getitems__([(0, i) for i in range(8)]))
    assert set(losses) == set(tasks)
    assert set(measured) == {f"{task} accuracy" for task in tasks if task not in ("grey", "blank")}
    sum(losses.values()).backward()
    unused = [name for name, value in network.named_parameters() if value.grad is None]
    assert unused == []


def test_weights_multiply_the_losses(shop):
    data, network = learnable(list(open_catalogue(shop).split("train")), (4,), GRID_TASKS)
    batch = data.__getitems__([(0, i) for i in range(8)])
    plain = MatcherModel(network, "sum")(batch)
    weighted = MatcherModel(network, "adaptive")(batch)
    factors = adaptive_weights(torch.stack(list(plain.values())))
    for name, factor in zip(plain, factors, strict=True):
        assert weighted[name].item() == pytest.approx((factor * plain[name]).item(), rel=1e-5)


@pytest.mark.slow
def test_all_tasks_are_learned_by_heart(shop):
    """Sixteen products: every classification far above chance after 250 steps."""
    products = list(open_catalogue(shop).split("train"))
    data, network = learnable(products, KALEIDO_LEVELS, KALEIDO_TASKS)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    means: dict[str, float] = {}
    for step in range(250):
        losses, measured = task_losses(network, data.__getitems__([(step, i) for i in range(16)]))
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        if step >= 230:
            for name, value in {**measured, **losses}.items():
                means[name] = means.get(name, 0) + value.item() / 20
    assert means["rotation accuracy"] > 0.8
    assert means["jigsaw accuracy"] > 0.5
    assert means["camouflage accuracy"] > 0.6
    assert means["match accuracy"] > 0.6  # 320 pairs; chance is 0.5
    assert means["words accuracy"] > 0.5


@pytest.mark.slow
def test_resume_continues_the_same_run_and_the_checkpoint_opens(shop, tmp_path, interrupted):
    def config(name):
        given = matcher_settings(shop, tmp_path, output=str(tmp_path / name))
        given["optimisation"] |= {"iterations": 3, "save_every": 1}
        return resolve(OmegaConf.create(given), "test")

    whole = train_matcher(config("whole"), Accelerator(cpu=True))
    interrupted(train_matcher, config("broken"))
    resumed = train_matcher(config("broken"), Accelerator(cpu=True), resume=True)
    first, second = (load_file(folder / "network.safetensors") for folder in (whole, resumed))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    checkpoint = load_checkpoint(whole)
    assert checkpoint.model == "matcher"
    assert checkpoint.settings["matcher"]["tasks"] == list(KALEIDO_TASKS)
    assert WordPiece.read(whole / "tokenizer.json").size == len(first["encoder.bert.tokens.weight"])


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["fashionbert_full", "kaleido_full"])
def test_recipes_at_full_size_take_a_step(recipe, shop, tmp_path, monkeypatch):
    """With a BERT folder of the real format and a ResNet of torchvision, both tiny."""
    monkeypatch.setattr("ovarnet.catalogue.modeling.crop_encoder.resnet50", resnet18)
    torch.save(resnet18(weights=None).state_dict(), tmp_path / "resnet.pth")
    tiny_bert(tmp_path / "bert")
    overrides = [
        f"output={tmp_path / 'run'}",
        f"data.root={shop}",
        f"crops.network=resnet50:{tmp_path / 'resnet.pth'}",
        "crops.side=32",
        f"crops.cache={tmp_path / 'features'}",
        f"encoder.start={tmp_path / 'bert'}",
        "encoder.layers=2",
        "encoder.tokens=40",
        "limit=4",
        "optimisation.iterations=1",
        "optimisation.batch_size=4",
        "optimisation.mixed_precision=no",
    ]
    config = load_config(CONFIGS / f"{recipe}.yaml", [*overrides, "alignment=null"])
    assert (train_matcher(config, Accelerator(cpu=True)) / "network.safetensors").is_file()


@pytest.mark.slow
def test_the_small_recipe_learns_to_match(shop, tmp_path):
    """Ten seconds, from the CLIP's space and with groups of candidates; chance is 0.5."""
    given = matcher_settings(shop, tmp_path, candidates=4, negatives="both", tasks=["match"])
    given["encoder"] = {"start": "clip", "layers": 2, "hidden": 32, "heads": 2, "dropout": 0.0}
    given["optimisation"] |= {"iterations": 120, "batch_size": 32, "lr": 3e-3, "warmup": 10}
    folder = train_matcher(resolve(OmegaConf.create(given), "test"), Accelerator(cpu=True))
    products = list(open_catalogue(shop).split("train"))
    matcher = load_matcher(folder, device="cpu")
    patches, places = matcher.encode_images([product.image for product in products])
    titles, photos = torch.cartesian_prod(*[torch.arange(len(products))] * 2).unbind(1)
    scores = matcher.score_features(
        [products[title].title for title in titles.tolist()], patches[photos], places[photos]
    )
    looks = [(product.subcategory, product.labels["colour"]) for product in products]
    fits = torch.tensor(
        [looks[a] == looks[b] for a, b in zip(titles.tolist(), photos.tolist(), strict=True)]
    )
    assert (scores[fits][:, None] > scores[~fits]).float().mean() > 0.7


@pytest.mark.slow
def test_refusals(shop, tmp_path):
    def train(**more):
        given = matcher_settings(shop, tmp_path, **more)
        return train_matcher(resolve(OmegaConf.create(given), "test"), Accelerator(cpu=True))

    with pytest.raises(InputError, match="need patches=kaleido"):
        train(patches="grid")
    with pytest.raises(InputError, match="batch_size is 4, which is no whole number of groups"):
        train(candidates=3)
    with pytest.raises(InputError, match="a grid masks at random"):
        train(patches="grid", tasks=["match"], alignment="runs/aligner")
    with pytest.raises(InputError, match="not a prepared catalogue"):
        train(data={"root": str(tmp_path)})
