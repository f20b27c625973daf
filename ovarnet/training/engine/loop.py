"""The training loop of every stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from accelerate import Accelerator
from accelerate.utils import send_to_device
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from ovarnet.config import Optimisation
from ovarnet.errors import InputError
from ovarnet.training.engine.best_weights import BestWeights
from ovarnet.training.engine.recorder import Recorder
from ovarnet.training.engine.run_folder import Run, resume_run, start_run
from ovarnet.training.engine.sampling import IterationSampler, check_batch_size
from ovarnet.training.engine.schedule import make_optimizer, make_scheduler, parameter_groups
from ovarnet.training.engine.seeds import derive_seed
from ovarnet.training.engine.training_state import TrainingState

Model = TypeVar("Model", bound=nn.Module)


class BatchDataset(Protocol):
    """A dataset that gives whole batches."""

    def __len__(self) -> int:
        """Number of samples."""

    def __getitems__(self, keys: list[Any]) -> Any:
        """The batch of some keys, which the sampler made."""


def run_stage(
    model: Model,
    dataset: BatchDataset,
    config: Run,
    accelerator: Accelerator,
    *,
    resume: bool,
    undecayed: Sequence[Tensor] = (),
    after_step: Callable[[Model], None] | None = None,
    groups: list[dict[str, Any]] | None = None,
    make_sampler: Callable[..., Sampler] | None = None,
    best: BestWeights | None = None,
) -> Model:
    """Train a model from its initial weights or from the last saved state.

    Args:
        model: Called with one batch, returns a dict of named scalar losses, whose sum is minimised.
            Where it has a method `measures`, the scalars that it returns after a step, such as an
            accuracy, are logged beside the losses.
        dataset: Gives the batches; the keys of its samples begin with the iteration.
        config: Settings of the stage; state, history and curves are written to its `output`.
        accelerator: Device, precision and processes.
        resume: Continue from the state in `config.output`.
        undecayed: Matrices without weight decay.
        after_step: Called with the model after each step: a constraint on its weights, such as a
            bound on a temperature.
        groups: Parameter groups of the optimiser; None: all parameters that take a gradient, at one
            rate.
        make_sampler: Called as (iterations, seed=, start=, rank=, world=); None: batches of
            `config.optimisation.batch_size`, drawn evenly from the dataset.
        best: Chooses among the weights of the run by a validation loss, and may end it early; None:
            the last ones are kept.

    Returns:
        The model to keep: the running average of the weights, if there is one, after the last
        iteration or after the one that `best` has chosen.

    Raises:
        InputError: The batch cannot be divided among the processes, a sample cannot be read, a loss
            is not finite, or there is no state to resume.
    """
    settings, output = config.optimisation, Path(config.output)
    check_batch_size(settings.batch_size, accelerator.num_processes)
    model.to(accelerator.device)
    optimizer = make_optimizer(
        groups or parameter_groups(model, settings.lr, settings.weight_decay, undecayed), settings
    )
    scheduler = make_scheduler(optimizer, settings)
    state = TrainingState(model, optimizer, scheduler, output, settings.ema, asdict(config))
    if resume:
        resume_run(state, model, config)
        if best is not None:
            best.resume(state.step)
    elif accelerator.is_main_process:
        start_run(output)

    if make_sampler is None:
        make_sampler = partial(IterationSampler, len(dataset), settings.batch_size)
    sampler = make_sampler(
        settings.iterations,
        seed=config.seed,
        start=state.step,
        rank=accelerator.process_index,
        world=accelerator.num_processes,
    )
    loader = DataLoader(
        _InputErrorsAsItems(dataset),
        batch_sampler=sampler,
        collate_fn=_unchanged,
        num_workers=settings.workers,
    )
    prepared, state.optimizer = accelerator.prepare(model, optimizer)
    with Recorder(
        output,
        settings.iterations,
        start=state.step,
        active=accelerator.is_main_process,
        send=accelerator.log,  # to its trackers, if it has any
    ) as recorder:
        batches = _raised(loader)
        fit(
            prepared, batches, state, settings, accelerator, recorder, after_step, config.seed, best
        )
    kept = state.best_model(accelerator.unwrap_model(prepared))
    if best is not None:
        accelerator.wait_for_everyone()  # the main process has written the weights
        best.restore(kept)
    return kept


def fit(
    model: nn.Module,
    batches: Iterable,
    state: TrainingState,
    settings: Optimisation,
    accelerator: Accelerator,
    recorder: Recorder,
    after_step: Callable[[Any], None] | None,
    seed: int,
    best: BestWeights | None = None,
) -> None:
    """Run the iterations that are left in `state`, or fewer where `best` ends them.

    Args:
        model: As in `run_stage`, prepared by the accelerator.
        batches: One for each iteration that is left.
        state: Counts the iterations and holds the optimiser.
        settings: As in `run_stage`.
        accelerator: As in `run_stage`.
        recorder: Logs the losses.
        after_step: As in `run_stage`.
        seed: As in `run_stage`.
        best: As in `run_stage`.
    """
    model.train()
    for batch in batches:
        # what a model draws (dropout, sampled anchors) is the same in a resumed run
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

        unwrapped = accelerator.unwrap_model(model)
        state.advance(unwrapped)
        lr = state.optimizer.param_groups[0]["lr"]
        scalars = {**losses, "total": total, "gradient_norm": gradient_norm, "lr": lr}
        if hasattr(unwrapped, "measures"):
            scalars |= unwrapped.measures()
        recorder.log(state.step, scalars)

        # before the state is saved: a run that resumes from it does not measure this iteration
        if best is not None and best.is_due(state.step, settings.iterations):
            kept = state.best_model(accelerator.unwrap_model(model))
            loss = best.measure(kept, state.step, accelerator.device)
            recorder.add(state.step, {"validation": loss})
        if state.step % settings.save_every == 0 and accelerator.is_main_process:
            state.save(accelerator.unwrap_model(model))
        if best is not None and best.is_over:
            break


def check_finite(losses: dict[str, Tensor], step: int) -> None:
    """Check the losses of an iteration.

    Raises:
        InputError: Names the terms that are not finite.
    """
    bad = [
        f"{name} = {value.item()}"
        for name, value in losses.items()
        if not torch.isfinite(value).all()
    ]
    if bad:
        raise InputError(
            f"iteration {step}: loss {', '.join(bad)}; lower optimisation.lr or raise "
            "optimisation.warmup, then train again or --resume"
        )


@dataclass(frozen=True)
class _Unreadable:
    """In place of a batch: why it cannot be made."""

    message: str


class _InputErrorsAsItems(Dataset):
    """A dataset whose InputErrors come back as items.

    A worker process can only hand over an exception with its traceback as the message.
    """

    def __init__(self, dataset: BatchDataset):
        self.dataset = dataset

    def __getitems__(self, keys: list) -> Any:
        try:
            return self.dataset.__getitems__(keys)
        except InputError as error:
            return _Unreadable(str(error))


def _raised(batches: Iterable) -> Iterator:
    """The batches, up to the first that cannot be made."""
    for batch in batches:
        if isinstance(batch, _Unreadable):
            raise InputError(batch.message)
        yield batch


def _unchanged(batch: Any) -> Any:
    """Collate function of datasets that give whole batches."""
    return batch
