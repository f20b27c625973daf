"""A distillation run put together without training it."""

from functools import cache
from types import SimpleNamespace

import torch

from ovarnet.build import checkpoint_clip_attr
from ovarnet.checkpoint import load_checkpoint
from ovarnet.training.data.image_cache import ImageCache
from ovarnet.training.distillation.data import DistillationData
from ovarnet.training.distillation.stage import build_student, make_model, open_batches


@cache
def opened(folder):
    """Checkpoint and CLIP-Attr of a teacher, which no run changes."""
    checkpoint = load_checkpoint(folder)
    return checkpoint, checkpoint_clip_attr(checkpoint).eval()


def assemble_run(config, cache_folder):
    """Model in training mode, dataset and data of a config, without training."""
    data = DistillationData.open(config)
    checkpoint, clip_attr = opened(config.teacher)
    torch.manual_seed(0)
    student, _ = build_student(config, checkpoint, clip_attr, data)
    teacher, dataset = open_batches(config, clip_attr, data, ImageCache(16), cache_folder)
    model = make_model(config, student, data, teacher).train()
    return SimpleNamespace(model=model, dataset=dataset, data=data)
