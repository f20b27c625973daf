"""The training loop of every stage: forward, loss, finite check that names the terms, backward,
clip, step, log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import send_to_device
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from ovarnet.config import Optimisation
from ovarnet.errors import InputError
from ovarnet.training.engine.checkpoint_state import TrainingState
from ovarnet.training.engine.recorder import Recorder
from ovarnet.training.engine.sampling import IterationSampler
from ovarnet.training.engine.schedule import make_optimizer, make_scheduler, parameter_groups
from ovarnet.training.engine.seeds import derive_seed


def run_stage(
    model: nn.Module,
    dataset: Dataset,
    settings: Optimisation,
    accelerator: Accelerator,
    *,
    output: Path,
    seed: int,
    resume: bool,
    undecayed: Sequence[nn.Parameter] = (),
    after_step: Callable[[nn.Module], None] | None = None,
    groups: list[dict] | None = None,
    make_sampler: Callable[..., Sampler] | None = None,
) -> nn.Module:
    """Train `model` on `dataset` from its start, or with `resume` from the last saved state in
    `output`; return the model to keep.

    model: called with one batch, returns a dict of named scalar losses whose sum is minimised.
    dataset: fetched a batch at a time by ``__getitems__`` with (iteration, index) keys. after_step:
    a constraint on the weights, such as a bound on a temperature. groups: the optimiser's groups of
    parameters; None: everything that takes a gradient, at one rate. make_sampler: called as
    (iterations, seed=, start=, rank=, world=); None: batches of `settings.batch_size`, drawn evenly
    from the data set.
    """
    output.mkdir(parents=True, exist_ok=True)
    model.to(accelerator.device)
    optimizer = make_optimizer(
        groups or parameter_groups(model, settings.lr, settings.weight_decay, undecayed), settings
    )
    state = TrainingState(
        model, optimizer, make_scheduler(optimizer, settings), output, settings.ema
    )
    if resume:
        state.resume(model)
    make_sampler = make_sampler or partial(IterationSampler, len(dataset), settings.batch_size)
    sampler = make_sampler(
        settings.iterations,
        seed=seed,
        start=state.step,
        rank=accelerator.process_index,
        world=accelerator.num_processes,
    )
    batches = DataLoader(
        dataset, batch_sampler=sampler, collate_fn=_as_it_is, num_workers=settings.workers
    )
    model, state.optimizer = accelerator.prepare(model, optimizer)
    with Recorder(
        output, settings.iterations, start=state.step, active=accelerator.is_main_process
    ) as recorder:
        fit(model, batches, state, settings, accelerator, recorder, after_step, seed)
    return state.best_model(accelerator.unwrap_model(model))


def fit(
    model: nn.Module,
    batches: Iterable,
    state: TrainingState,
    settings: Optimisation,
    accelerator: Accelerator,
    recorder: Recorder,
    after_step: Callable[[nn.Module], None] | None,
    seed: int,
) -> None:
    """Run the iterations that are left in `state`; `batches` yields one batch for each of them.

    What a model draws (dropout, anchors and regions, scales) depends on the seed and the iteration
    alone, so a resumed run draws the same.
    """
    model.train()
    for batch in batches:
        torch.manual_seed(derive_seed(seed, state.step, accelerator.process_index))
        losses = model(send_to_device(batch, accelerator.device))
        total = sum(losses.values())
        check_finite(losses, state.step)
        accelerator.backward(total)
        gradient_norm = accelerator.clip_grad_norm_(model.parameters(), settings.clip_norm)
        state.optimizer.step()
        state.scheduler.step()
        state.optimizer.zero_grad(set_to_none=True)
        if after_step is not None:
            after_step(accelerator.unwrap_model(model))
        state.advance(accelerator.unwrap_model(model))
        recorder.log(
            state.step,
            {**losses, "total": total, "gradient_norm": gradient_norm},
            lr=state.optimizer.param_groups[0]["lr"],
        )
        if state.step % settings.save_every == 0 and accelerator.is_main_process:
            state.save(accelerator.unwrap_model(model))


def check_finite(losses: dict[str, Tensor], step: int) -> None:
    """Stop with the names of the terms that are not finite."""
    bad = [
        f"{name} = {value.item()}"
        for name, value in losses.items()
        if not torch.isfinite(value).all()
    ]
    if bad:
        raise InputError(
            f"iteration {step}: loss {', '.join(bad)}; lower optimisation.lr or raise "
            "optimisation.warmup, then --resume"
        )


def _as_it_is(batch):
    return batch
