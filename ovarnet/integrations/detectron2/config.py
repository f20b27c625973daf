"""What our models add to a detectron2 config."""

from __future__ import annotations

from detectron2.config import CfgNode

from ovarnet.config import load_config
from ovarnet.errors import InputError


def add_ovarnet_config(cfg: CfgNode) -> None:
    """Add the keys of the meta-architectures ``OvarNet`` and ``ClipAttr`` to a config.

    ======================  =====================================================================
    MODEL.OVARNET           meaning
    ======================  =====================================================================
    ``CHECKPOINT``          the model: a shipped name or a checkpoint folder, as `ovarnet.load`
                            takes it. "": a new one, built as ``STAGE`` says
    ``STAGE``               config file of `ovarnet train` or `ovarnet distill`: losses, teacher and
                            architecture of training; its data, schedule and output are
                            detectron2's. "": as at inference, or (OvarNet) default losses of base
                            labels without a teacher
    ``STAGE_OPTIONS``       KEY=VALUE, in place of settings of ``STAGE``
    ``PROPOSER``            (ClipAttr) where boxes come from, as `ovarnet.load` takes it. "": the
                            checkpoint's own
    ======================  =====================================================================

    ``TEST.SETTINGS`` names the settings that `train_net` evaluates, "box-free" and "box-given".
    detectron2's own ``MODEL.ROI_HEADS.SCORE_THRESH_TEST``, ``NMS_THRESH_TEST`` and
    ``TEST.DETECTIONS_PER_IMAGE`` say which boxes are returned, and ``MODEL.WEIGHTS`` is a file of
    its checkpointer.

    Args:
        cfg: What `detectron2.config.get_cfg` returned; changed in place.
    """
    cfg.MODEL.OVARNET = CfgNode()
    cfg.MODEL.OVARNET.CHECKPOINT = ""
    cfg.MODEL.OVARNET.STAGE = ""
    cfg.MODEL.OVARNET.STAGE_OPTIONS = []
    cfg.MODEL.OVARNET.PROPOSER = ""
    cfg.TEST.SETTINGS = ["box-free"]


def stage_settings(cfg: CfgNode, stage: str):
    """The settings that ``MODEL.OVARNET.STAGE`` names; None where it is "".

    Args:
        cfg: A config with `add_ovarnet_config`.
        stage: "ovarnet" or "clip_attr".

    Raises:
        InputError: Neither a checkpoint nor a stage is given, or the file cannot be used.
    """
    ours = cfg.MODEL.OVARNET
    if ours.STAGE:
        return load_config(ours.STAGE, ours.STAGE_OPTIONS, stage=stage)
    if not ours.CHECKPOINT:
        raise InputError(
            "MODEL.OVARNET: give CHECKPOINT, a model such as scenes or photos, or STAGE, the "
            f"config file of a stage {stage}, or both"
        )
    return None
