"""Losses of one weight that are known: (w - 3)² and the like."""

import json
import math
from dataclasses import dataclass, field

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from ovarnet.config import Optimisation, Validation
from ovarnet.training.engine.best_weights import FILE, BestWeights
from ovarnet.training.engine.loop import run_stage


class Line(nn.Module):
    """Loss (w - target)², with a target of its own in training: 5."""

    def __init__(self, weight=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, batch):
        return {"a": (self.weight - batch).square().mean() / 2} | {
            "b": (self.weight - batch).square().mean() / 2
        }


class Targets:
    def __len__(self):
        return 4

    def __getitems__(self, keys):
        return torch.full((len(keys),), 5.0)


@dataclass
class Config:
    output: str
    seed: int = 0
    optimisation: Optimisation = field(
        default_factory=lambda: Optimisation(
            iterations=60, batch_size=2, lr=0.1, weight_decay=0.0, warmup=0, decay=0.0
        )
    )


def best_of(folder, targets=(2.0,), **settings):
    batches = [torch.tensor([target]) for target in targets]
    return BestWeights(lambda: batches, Validation(split="val", **settings), folder)


def measure(best, weight, step):
    return best.measure(Line(weight), step, torch.device("cpu"))


def test_what_a_model_draws_is_the_same_each_time(tmp_path):
    class Random(nn.Module):
        def forward(self, batch):
            return {"a": torch.rand(()) + batch.mean()}

    best = best_of(tmp_path, targets=(1.0, 3.0))
    first, second = (best.measure(Random(), step, torch.device("cpu")) for step in (1, 2))
    assert first == second


def test_the_loss_is_the_mean_over_batches_of_the_sum_of_terms(tmp_path):
    best = best_of(tmp_path, targets=(1.0, 3.0))
    model = Line(1.0).train()
    assert best.measure(model, 1, torch.device("cpu")) == pytest.approx((0 + 4) / 2)
    assert model.training
    assert model.weight.grad is None


def test_weights_of_the_lowest_loss_are_kept(tmp_path):
    best, last = best_of(tmp_path), Line(9.0)
    assert [measure(best, weight, step) for step, weight in enumerate((0.0, 1.5, 4.0), 1)] == [
        pytest.approx(4.0),
        pytest.approx(0.25),
        pytest.approx(4.0),
    ]
    assert (best.step, best.loss) == (2, pytest.approx(0.25))
    best.restore(last)
    assert last.weight.item() == 1.5


def test_when_it_is_due_and_when_it_is_over(tmp_path):
    best = best_of(tmp_path, every=10, patience=2)
    assert [step for step in range(1, 26) if best.is_due(step, 25)] == [10, 20, 25]
    for step, weight, is_over in ((10, 1.0, False), (20, 0.0, False), (30, 0.0, True)):
        measure(best, weight, step)
        assert best.is_over is is_over
    measure(best, 2.0, 40)
    assert not best.is_over
    endless = best_of(tmp_path / "endless", every=10)
    for step in range(10, 1000, 10):
        measure(endless, float(step), step)
    assert not endless.is_over


def test_losses_that_are_no_numbers_are_never_the_best(tmp_path):
    best, model = best_of(tmp_path), Line(9.0)
    assert math.isnan(measure(best, math.nan, 1))
    best.restore(model)
    assert model.weight.item() == 9.0
    assert not (tmp_path / FILE).exists()


def test_a_resumed_run_goes_on_with_what_was_best_before_its_iteration(tmp_path):
    measure(best_of(tmp_path), 1.5, 20)
    later, earlier = best_of(tmp_path), best_of(tmp_path)
    later.resume(30)
    earlier.resume(10)
    assert (later.step, later.loss) == (20, pytest.approx(0.25))
    assert (earlier.step, earlier.loss) == (0, math.inf)
    nothing = best_of(tmp_path / "new")
    nothing.resume(10)
    assert nothing.loss == math.inf


def test_training_keeps_the_best_weights_and_stops_early(tmp_path):
    """The weight moves by 0.1 an iteration from 0 to 5; held out, 2 is best: iteration 20."""
    best = best_of(tmp_path, every=5, patience=3)
    trained = run_stage(
        Line(), Targets(), Config(str(tmp_path)), Accelerator(cpu=True), resume=False, best=best
    )
    history = json.loads((tmp_path / "history.json").read_text())
    steps, losses = zip(*history["validation"], strict=True)
    assert steps == (5, 10, 15, 20, 25, 30, 35)
    assert best.step == 20
    assert min(losses) == losses[3]
    assert trained.weight.item() == pytest.approx(2.0, abs=0.1)


def test_a_new_run_forgets_the_best_weights_of_an_earlier_one(tmp_path):
    measure(best_of(tmp_path), 2.0, 20)
    run_stage(Line(), Targets(), Config(str(tmp_path)), Accelerator(cpu=True), resume=False)
    assert not (tmp_path / FILE).exists()


def test_a_run_that_resumes_where_it_was_measured_keeps_that_measurement(tmp_path, interrupted):
    """Interrupted while its first state is saved, at iteration 20, which is the best one."""

    def train(config, accelerator, resume=False):
        best = best_of(tmp_path / config.output, every=10)
        config.optimisation.save_every = 20
        config.output = str(tmp_path / config.output)
        run_stage(Line(), Targets(), config, accelerator, resume=resume, best=best)
        return best

    whole = train(Config("whole"), Accelerator(cpu=True))
    interrupted(train, Config("broken"))
    resumed = train(Config("broken"), Accelerator(cpu=True), resume=True)
    assert (resumed.step, resumed.loss) == (whole.step, whole.loss)
    assert whole.step == 20
