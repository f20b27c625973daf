"""A distillation run put together without training it."""

from types import SimpleNamespace

import torch

from ovarnet.build import checkpoint_clip_attr
from ovarnet.checkpoint import load_checkpoint
from ovarnet.training.data.crops import ImageMemory
from ovarnet.training.distillation.data import DistillData
from ovarnet.training.distillation.stage import _lesson, make_learner, start_model


def assemble_run(config, tmp_path):
    """Learner, data set and teacher of a config, without training."""
    data = DistillData.open(config)
    checkpoint = load_checkpoint(config.teacher)
    clip_attr = checkpoint_clip_attr(checkpoint).eval()
    torch.manual_seed(0)
    model, _ = start_model(config, checkpoint, clip_attr, data)
    teacher, dataset = _lesson(config, clip_attr, data, ImageMemory(16), tmp_path)
    return SimpleNamespace(
        learner=make_learner(model, data, teacher, config).train(), dataset=dataset, data=data
    )
