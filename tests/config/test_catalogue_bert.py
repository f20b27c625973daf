"""Settings of the matcher and the aligner, and the recipes that come with the package."""

from pathlib import Path

import pytest
from refusals import refusal

from ovarnet.config import load_config
from ovarnet.config.catalogue_bert import AlignmentTraining, MatcherTraining

CONFIGS = Path(__file__).parents[2] / "configs" / "catalogue"


def test_fashionbert_reads_a_grid_of_the_whole_photo():
    config = load_config(CONFIGS / "fashionbert.yaml", [])
    assert isinstance(config, MatcherTraining)
    assert (config.patches, config.grid, config.data.foreground) == ("grid", 8, False)
    assert config.tasks == ["words", "match", "blank"]
    assert (config.weights, config.negatives) == ("adaptive", "both")


def test_kaleido_reads_all_levels_of_the_product():
    config = load_config(CONFIGS / "kaleido.yaml", [])
    assert (config.patches, config.data.foreground, len(config.tasks)) == ("kaleido", True, 7)
    assert (config.weights, config.negatives) == ("sum", "both")
    assert isinstance(load_config(CONFIGS / "alignment.yaml", []), AlignmentTraining)


def test_full_size_recipes_are_those_of_the_papers():
    for name in ("fashionbert_full", "kaleido_full"):
        config = load_config(CONFIGS / f"{name}.yaml", [])
        assert (config.crops.network, config.crops.side) == ("resnet50", 224)
        assert (config.encoder.layers, config.encoder.tokens) == (12, 64)
        assert config.optimisation.iterations == 50_683
        assert config.optimisation.batch_size == 256


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("tasks=[dance]", "tasks is ['dance']; it must be 1 to 7 values, each one of words"),
        ("weights=fair", "weights is 'fair'; it must be one of sum, equal, adaptive"),
        ("grid=0", "grid is 0; it must be from 1 to 32"),
    ],
)
def test_refusals(override, message):
    assert refusal("catalogue_matcher", override).startswith(message)
