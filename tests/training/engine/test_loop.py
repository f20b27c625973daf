"""The loop: it learns, draws the same in every run, resumes exactly, and stops in one line."""

import json
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import Dataset

from ovarnet.config import Optimisation
from ovarnet.drawing.curves import curves
from ovarnet.errors import InputError
from ovarnet.training.engine.loop import check_finite, run_stage


class Numbers(Dataset):
    def __len__(self):
        return 10

    def __getitems__(self, keys):
        return torch.tensor([[float(index)] for _, index in keys])


class Doubling(nn.Module):
    """Learns y = 2 x + noise that the model draws; stops like a power cut after `broken_at`
    calls."""

    def __init__(self, broken_at=None):
        super().__init__()
        self.weight, self.calls, self.broken_at = nn.Parameter(torch.zeros(1, 1)), 0, broken_at

    def forward(self, batch):
        self.calls += 1
        if self.calls == self.broken_at:
            raise KeyboardInterrupt
        return {
            "square": (batch @ self.weight - 2 * batch - 0.1 * torch.randn_like(batch))
            .square()
            .mean()
        }


@dataclass
class Config:
    """What every stage with iterations has."""

    output: str
    seed: int = 1
    optimisation: Optimisation = field(
        default_factory=lambda: Optimisation(
            iterations=60, batch_size=4, lr=0.1, weight_decay=0.0, warmup=5, save_every=20, ema=0.9
        )
    )


def run(folder, model, resume=False, dataset=None, **more):
    config = Config(str(folder), **more)
    return run_stage(model, dataset or Numbers(), config, Accelerator(cpu=True), resume=resume)


@pytest.mark.slow
def test_learns_and_writes_curves(tmp_path, figure_of_curves):
    best = run(tmp_path, Doubling())
    assert best.weight.item() == pytest.approx(2.0, abs=0.1)
    history = json.loads((tmp_path / "history.json").read_text())
    assert [step for step, _ in history["square"]] == list(range(3, 61, 3))
    assert history["square"][-1][1] < history["square"][0][1]
    assert set(history) == {"square", "total", "gradient_norm", "lr"}
    assert list((tmp_path / "tensorboard").iterdir())
    curves(history, tmp_path / "again.png")
    curves({}, tmp_path / "empty.png")
    pictures = [(tmp_path / f"{name}.png").read_bytes() for name in ("curves", "again", "empty")]
    assert pictures[0] == pictures[1] != pictures[2]


class Measuring(Doubling):
    """Has a number to log that is no loss."""

    def measures(self):
        return {"calls": torch.tensor(float(self.calls))}


def test_measures_are_logged_beside_the_losses(tmp_path):
    run(tmp_path, Measuring())
    history = json.loads((tmp_path / "history.json").read_text())
    assert history["calls"] == [[step, step] for step in range(3, 61, 3)]
    assert history["total"] == history["square"]


class Drawing(Doubling):
    """Notes the first number that it draws in every iteration."""

    def __init__(self):
        super().__init__()
        self.drawn = []

    def forward(self, batch):
        self.drawn.append(torch.rand(()).item())
        return super().forward(batch)


@pytest.mark.slow
def test_what_a_model_draws_differs_between_iterations_and_seeds_and_not_between_runs(tmp_path):
    first, again, other = (Drawing() for _ in range(3))
    for number, (model, seed) in enumerate([(first, 1), (again, 1), (other, 2)]):
        run(tmp_path / str(number), model, seed=seed)
    assert len(set(first.drawn + other.drawn)) == 2 * 60
    assert again.drawn == first.drawn


def test_resume_continues_the_same_run_exactly(tmp_path):
    unbroken = run(tmp_path / "a", Doubling())
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "b", Doubling(broken_at=47))
    resumed = run(tmp_path / "b", Doubling(), resume=True)
    assert torch.equal(resumed.weight, unbroken.weight)
    assert json.loads((tmp_path / "a/history.json").read_text()) == json.loads(
        (tmp_path / "b/history.json").read_text()
    )


def test_a_loss_that_is_not_finite_stops_and_names_the_term():
    check_finite({"a": torch.tensor(1.0)}, 3)
    with pytest.raises(
        InputError, match=r"iteration 3: loss b = nan, c = inf; lower optimisation\.lr"
    ):
        check_finite(
            {
                "a": torch.tensor(1.0),
                "b": torch.tensor(float("nan")),
                "c": torch.tensor(float("inf")),
            },
            3,
        )


class Unreadable(Numbers):
    """The sample 7 is a broken file."""

    def __getitems__(self, keys):
        if any(index == 7 for _, index in keys):
            raise InputError("7.jpg: not an image; convert it")
        return super().__getitems__(keys)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_sample_that_cannot_be_read_is_one_line_with_and_without_workers(tmp_path, workers):
    settings = Optimisation(iterations=60, batch_size=4, workers=workers)
    with pytest.raises(InputError) as error:
        run(tmp_path, Doubling(), dataset=Unreadable(), optimisation=settings)
    assert str(error.value) == "7.jpg: not an image; convert it"
    assert (tmp_path / "history.json").is_file(), "what was learned until then is not lost"


def test_workers_change_nothing(tmp_path):
    settings = [Optimisation(iterations=20, batch_size=4, lr=0.1, workers=n) for n in (0, 2)]
    models = [
        run(tmp_path / str(number), Doubling(), optimisation=one)
        for number, one in enumerate(settings)
    ]
    assert torch.equal(models[0].weight, models[1].weight)


def test_a_batch_that_cannot_be_divided_is_refused_before_anything_is_written(tmp_path):
    accelerator = SimpleNamespace(num_processes=3)
    with pytest.raises(InputError, match="batch_size is 4 and there are 3 processes"):
        run_stage(Doubling(), Numbers(), Config(str(tmp_path / "run")), accelerator, resume=False)
    assert not (tmp_path / "run").exists()
