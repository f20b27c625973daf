"""A distillation run put together without training it."""

from types import SimpleNamespace

import torch

from ovarnet.build import checkpoint_clip_attr
from ovarnet.checkpoint import load_checkpoint
from ovarnet.training.data.crops import ImageCache
from ovarnet.training.distillation.data import DistillationData
from ovarnet.training.distillation.stage import build_teacher_and_data, make_learner, start_model


def assemble_run(config, tmp_path):
    """Learner, data set and teacher of a config, without training."""
    data = DistillationData.open(config)
    checkpoint = load_checkpoint(config.teacher)
    clip_attr = checkpoint_clip_attr(checkpoint).eval()
    torch.manual_seed(0)
    model, _ = start_model(config, checkpoint, clip_attr, data)
    teacher, dataset = build_teacher_and_data(config, clip_attr, data, ImageCache(16), tmp_path)
    return SimpleNamespace(
        learner=make_learner(model, data, teacher, config).train(), dataset=dataset, data=data
    )
