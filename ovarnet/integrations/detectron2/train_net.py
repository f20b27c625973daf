"""Training and evaluation with detectron2's data loaders, schedules and checkpoints.

In the style of its tools/plain_train_net.py: one loop, no hooks. The script is
tools/detectron2_train_net.py.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
import yaml
from detectron2.checkpoint import DetectionCheckpointer, PeriodicCheckpointer
from detectron2.config import CfgNode, get_cfg
from detectron2.data import build_detection_test_loader, build_detection_train_loader
from detectron2.engine import (
    default_argument_parser,
    default_setup,
    default_writers,
    launch,
)
from detectron2.evaluation import inference_on_dataset, print_csv_format
from detectron2.modeling import build_model
from detectron2.solver import build_lr_scheduler
from detectron2.utils import comm
from detectron2.utils.events import EventStorage
from detectron2.utils.logger import setup_logger
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ovarnet.checkpoint import load_weights
from ovarnet.config import Optimisation
from ovarnet.errors import InputError
from ovarnet.evaluation.protocols import GIVEN
from ovarnet.integrations.detectron2.catalog import dataset_vocabulary
from ovarnet.integrations.detectron2.config import add_ovarnet_config
from ovarnet.integrations.detectron2.dataset_mapper import AttributeMapper
from ovarnet.integrations.detectron2.evaluator import OvarEvaluator
from ovarnet.integrations.detectron2.meta_arch import GivenBoxes, RegionMetaArch
from ovarnet.proposals.detectron2 import UNREADABLE
from ovarnet.training.engine.loop import check_finite

logger = logging.getLogger(__name__)
ARCHITECTURES = ("OvarNet", "ClipAttr")
EXPORTED = "ovarnet"
"""The checkpoint folder for `ovarnet.load`, in the output folder."""
WRITE_EVERY = 20
"""Iterations between lines of the log."""

Results = dict[str, dict[str, dict[str, float]]]


def launch_main(description: str | None) -> None:
    """Read the command line, with detectron2's options, and start `main` in every process.

    Args:
        description: Shown by ``--help``.

    Raises:
        InputError: As `main`.
    """
    args = default_argument_parser(description).parse_args()
    launch(
        main,
        args.num_gpus,
        num_machines=args.num_machines,
        machine_rank=args.machine_rank,
        dist_url=args.dist_url,
        args=(args,),
    )


def main(args: argparse.Namespace) -> Results:
    """Train and evaluate, or evaluate alone.

    Args:
        args: As detectron2's `default_argument_parser` makes them.

    Returns:
        Dataset -> what `OvarEvaluator.evaluate` returns, of all settings.

    Raises:
        InputError: A config, a checkpoint or a dataset that cannot be used.
    """
    cfg = setup(args)
    model = build_model(cfg)
    if args.eval_only:
        load_for_test(cfg, model, resume=args.resume)
        return do_test(cfg, model)

    do_train(cfg, model, resume=args.resume)
    if comm.is_main_process():
        model.eval().export(Path(cfg.OUTPUT_DIR) / EXPORTED)
    return do_test(cfg, model)


def setup(args: argparse.Namespace) -> CfgNode:
    """Read the config; detectron2 writes it to the output folder and starts its log."""
    cfg = get_cfg()
    add_ovarnet_config(cfg)
    try:
        cfg.merge_from_file(args.config_file)
        cfg.merge_from_list(args.opts)
    except (OSError, KeyError, ValueError, AssertionError, yaml.YAMLError) as error:
        raise InputError(
            f"config {' '.join([args.config_file or '(none)', *args.opts])}: {error}; give "
            "--config-file, such as configs/detectron2/ovarnet_scenes.yaml, and KEY VALUE pairs"
        ) from None
    if cfg.MODEL.META_ARCHITECTURE not in ARCHITECTURES:
        raise InputError(
            f"MODEL.META_ARCHITECTURE is {cfg.MODEL.META_ARCHITECTURE}; this script trains "
            f"{' and '.join(ARCHITECTURES)}, detectron2's own tools train its models"
        )
    if args.eval_only:
        cfg.DATASETS.TRAIN = ()  # not read for an evaluation
    if cfg.MODEL.DEVICE == "cuda" and not torch.cuda.is_available():
        cfg.MODEL.DEVICE = "cpu"
    cfg.freeze()
    default_setup(cfg, args)
    setup_logger(cfg.OUTPUT_DIR, distributed_rank=comm.get_rank(), name="ovarnet")
    return cfg


def load_for_test(cfg: CfgNode, model: nn.Module, *, resume: bool) -> None:
    """Load the weights to be evaluated; detectron2's checkpointer would only warn of a misfit.

    Args:
        cfg: Names them in ``MODEL.WEIGHTS``; "": the model is evaluated as it was built.
        model: Is changed.
        resume: Load the last weights of the output folder instead, if there are any.

    Raises:
        InputError: The file cannot be read, or is of another model.
    """
    checkpointer = DetectionCheckpointer(model, save_dir=cfg.OUTPUT_DIR)
    is_resumed = resume and checkpointer.has_checkpoint()
    file = checkpointer.get_checkpoint_file() if is_resumed else cfg.MODEL.WEIGHTS
    if not file:
        return
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        raise InputError(
            f"MODEL.WEIGHTS: {file} cannot be read ({error}); give a file that this script wrote, "
            "such as OUTPUT_DIR/model_final.pth"
        ) from None
    load_weights(model, state.get("model", state), file)


def do_train(cfg: CfgNode, model: RegionMetaArch, *, resume: bool) -> None:
    """Run the iterations that are left."""
    model.train()
    settings = Optimisation(lr=cfg.SOLVER.BASE_LR, weight_decay=cfg.SOLVER.WEIGHT_DECAY)
    groups = [group for group in model.parameter_groups(settings) if group["params"]]
    optimizer = torch.optim.AdamW(groups)
    scheduler = build_lr_scheduler(cfg, optimizer)

    checkpointer = DetectionCheckpointer(
        model, cfg.OUTPUT_DIR, optimizer=optimizer, scheduler=scheduler
    )
    state = checkpointer.resume_or_load(cfg.MODEL.WEIGHTS, resume=resume)
    start, end = state.get("iteration", -1) + 1, cfg.SOLVER.MAX_ITER
    periodic = PeriodicCheckpointer(checkpointer, cfg.SOLVER.CHECKPOINT_PERIOD, max_iter=end)
    writers = default_writers(cfg.OUTPUT_DIR, end) if comm.is_main_process() else []

    parallel = _parallel(model)
    loader = build_detection_train_loader(cfg, mapper=AttributeMapper(cfg, is_train=True))
    with EventStorage(start) as storage:
        for data, iteration in zip(loader, range(start, end), strict=False):
            storage.iter = iteration

            losses = parallel(data)
            check_finite(losses, iteration)
            optimizer.zero_grad()
            sum(losses.values()).backward()
            if cfg.SOLVER.CLIP_GRADIENTS.ENABLED:
                nn.utils.clip_grad_norm_(model.parameters(), cfg.SOLVER.CLIP_GRADIENTS.CLIP_VALUE)
            optimizer.step()

            reduced = {name: loss.item() for name, loss in comm.reduce_dict(losses).items()}
            storage.put_scalars(total_loss=sum(reduced.values()), **reduced)
            storage.put_scalar("lr", optimizer.param_groups[0]["lr"], smoothing_hint=False)
            scheduler.step()

            if (iteration + 1) % WRITE_EVERY == 0 or iteration == end - 1:
                for writer in writers:
                    writer.write()
            periodic.step(iteration)
            done = iteration + 1
            if cfg.TEST.EVAL_PERIOD and done % cfg.TEST.EVAL_PERIOD == 0 and done < end:
                do_test(cfg, model)
                model.train()


def do_test(cfg: CfgNode, model: RegionMetaArch) -> Results:
    """Evaluate every setting on every test dataset, with the words of that dataset."""
    results: Results = OrderedDict()
    for name in cfg.DATASETS.TEST:
        results[name] = OrderedDict()
        for setting in cfg.TEST.SETTINGS:
            evaluator = OvarEvaluator(
                name,
                setting=setting,
                output_dir=os.path.join(cfg.OUTPUT_DIR, "inference", name),
            )
            model.set_vocabulary(dataset_vocabulary(name))
            loader = build_detection_test_loader(
                cfg, name, mapper=AttributeMapper(cfg, is_train=False)
            )
            tested: Any = GivenBoxes(model) if setting == GIVEN else model
            found = inference_on_dataset(tested, loader, evaluator)
            if comm.is_main_process():
                print_csv_format(found)
                results[name] |= found
    return results


def _parallel(model: RegionMetaArch) -> nn.Module:
    """The model, in several processes with gradients averaged over them."""
    if comm.get_world_size() == 1:
        return model
    # a batch without a kind of label leaves the parameters of that kind without gradient
    return DistributedDataParallel(
        model,
        device_ids=[comm.get_local_rank()],
        broadcast_buffers=False,
        find_unused_parameters=True,
    )
