"""One file per stage of the training chain; `train` picks the stage of a config."""

from pathlib import Path

from accelerate import Accelerator

from ovarnet.config.settings import (
    CaptionTraining,
    ClipAttrTraining,
    ClipTraining,
    OvarnetTraining,
    ProbeTraining,
    ProposerTraining,
)


def train(config, accelerator: Accelerator, *, resume: bool = False) -> Path:
    """Run the stage that `config` (a dataclass of ovarnet.config.settings) describes; returns the
    checkpoint folder it wrote.
    """
    if isinstance(config, ClipTraining):
        from ovarnet.training.clip.stage import train_clip

        return train_clip(config, accelerator, resume=resume)
    if isinstance(config, ProposerTraining):
        from ovarnet.training.proposer.stage import train_proposer

        return train_proposer(config, accelerator, resume=resume)
    if isinstance(config, ClipAttrTraining):
        from ovarnet.training.clip_attr.step_one import train_clip_attr

        return train_clip_attr(config, accelerator, resume=resume)
    if isinstance(config, CaptionTraining):
        from ovarnet.training.clip_attr.step_two import train_with_captions

        return train_with_captions(config, accelerator, resume=resume)
    if isinstance(config, OvarnetTraining):
        from ovarnet.training.distillation.stage import train_ovarnet

        return train_ovarnet(config, accelerator, resume=resume)
    if isinstance(config, ProbeTraining):
        from ovarnet.training.clip_attr.probe import train_probe

        return train_probe(config)
    from ovarnet.training.clip_attr.zero_shot import assemble_clip_attr

    return assemble_clip_attr(config)
