"""Settings of a small step I run on the tiny world, and a proposer whose boxes are known."""

import torch
from omegaconf import OmegaConf

from ovarnet.config import resolve
from ovarnet.proposals.detector import BASE_BOXES_ONLY
from ovarnet.structures import Proposals


def step_one_settings(tiny_world, start_files, output, **more):
    given = {
        "stage": "clip_attr",
        "output": str(output),
        "detection": {"root": str(tiny_world.root)},
        "attributes": {"root": str(tiny_world.root)},
        "clip": {"name": "ovarnet-scenes", "pretrained": str(start_files.clip)},
        "proposer": str(start_files.proposer),
        "prompt_vectors": [1, 1, 1],
        "optimisation": {"iterations": 2, "batch_size": 4, "lr": 1e-3, "save_every": 1},
    }
    return resolve(OmegaConf.merge(given, more), "test")


class FixedProposer:
    provenance = BASE_BOXES_ONLY

    def propose(self, images, names=None):
        boxes, scores = (
            torch.tensor([[4.0, 4, 34, 24], [20, 24, 60, 54], [0, 0, 70, 60]]),
            torch.tensor([0.9, 0.8, 0.3]),
        )
        return [Proposals(boxes, scores) for _ in images]


def caption_settings(tiny_world, step_one, pseudo_labels, output, **more):
    source = {"root": str(tiny_world.root)}
    given = {
        "stage": "clip_attr_captions",
        "output": str(output),
        "init_from": str(step_one),
        "captions": str(tiny_world.captions),
        "images": str(tiny_world.images),
        "pseudo_labels": str(pseudo_labels / "labels"),
        "detection": source,
        "attributes": source,
        "base_batch_size": 4,
        "phrase_vectors": 2,
        "selection": {"category_probability": 0.1, "mentioned_probability": 0.1},
        "optimisation": {"iterations": 2, "batch_size": 3, "lr": 1e-3, "save_every": 1},
    }
    return resolve(OmegaConf.merge(given, more), "test")
