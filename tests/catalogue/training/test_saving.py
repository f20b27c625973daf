"""A checkpoint of a catalogue's model: its parts, its settings and those of its run."""

from accelerate import Accelerator
from omegaconf import OmegaConf
from safetensors.torch import load_file
from torch import nn

from ovarnet.catalogue.training.saving import save_model
from ovarnet.checkpoint import load_checkpoint
from ovarnet.config import resolve


def test_parts_settings_and_texts(tmp_path):
    given = {
        "stage": "catalogue_alignment",
        "output": str(tmp_path / "run"),
        "data": {"root": "shop"},
        "seed": 7,
    }
    config = resolve(OmegaConf.create(given), "test")
    part = nn.Linear(2, 3)
    folder = save_model(
        config,
        Accelerator(cpu=True),
        "aligner",
        {"aligner": {"channels": 2}},
        {"captioner": part},
        {"words.txt": "red"},
    )
    assert folder == tmp_path / "run" / "checkpoint"
    checkpoint = load_checkpoint(folder)
    assert (checkpoint.model, checkpoint.settings["aligner"]) == ("aligner", {"channels": 2})
    assert checkpoint.settings["training"]["seed"] == 7
    assert load_file(folder / "captioner.safetensors")["weight"].equal(part.weight)
    assert (folder / "words.txt").read_text() == "red"
