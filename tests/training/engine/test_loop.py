import json

import pytest
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import Dataset

from ovarnet.config import Optimisation
from ovarnet.drawing.curves import curves
from ovarnet.errors import InputError
from ovarnet.training.engine.training_state import TrainingState
from ovarnet.training.engine.loop import check_finite, run_stage
from ovarnet.training.engine.seeds import derive_seed


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


SETTINGS = Optimisation(
    iterations=60, batch_size=4, lr=0.1, weight_decay=0.0, warmup=5, save_every=20, ema=0.9
)


def run(folder, model, resume=False):
    return run_stage(
        model, Numbers(), SETTINGS, Accelerator(cpu=True), output=folder, seed=1, resume=resume
    )


def test_learns_and_writes_curves(tmp_path):
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


class Drawing(Doubling):
    """Notes the first number that it draws in every iteration."""

    def __init__(self):
        super().__init__()
        self.drawn = []

    def forward(self, batch):
        self.drawn.append(torch.rand(()).item())
        return super().forward(batch)


def test_what_a_model_draws_differs_between_iterations_and_seeds_and_not_between_runs(tmp_path):
    first, again, other = (Drawing() for _ in range(3))
    for number, (model, seed) in enumerate([(first, 1), (again, 1), (other, 2)]):
        run_stage(
            model,
            Numbers(),
            SETTINGS,
            Accelerator(cpu=True),
            output=tmp_path / str(number),
            seed=seed,
            resume=False,
        )
    assert len(set(first.drawn + other.drawn)) == 2 * SETTINGS.iterations
    assert again.drawn == first.drawn


def test_a_seed_depends_on_every_number_and_on_their_order():
    seeds = [
        derive_seed(*numbers) for numbers in ((1, 2, 3), (0, 2, 3), (1, 0, 3), (1, 2, 0), (3, 2, 1))
    ]
    assert len(set(seeds)) == 5
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive_seed(1, 2, 3) == seeds[0]


def test_the_running_average_is_what_is_kept(tmp_path):
    model = Doubling()
    optimizer = torch.optim.SGD(model.parameters())
    averaged, plain = (TrainingState(model, optimizer, None, tmp_path, ema) for ema in (0.75, 0.0))
    for weight in (4.0, 8.0, 0.0):
        with torch.no_grad():
            model.weight.fill_(weight)
        averaged.advance(model)
        plain.advance(model)
    assert averaged.best_model(model).weight.item() == pytest.approx((4 * 0.75 + 8 * 0.25) * 0.75)
    assert plain.best_model(model) is model
    assert averaged.step == plain.step == 3
    trained = Doubling()
    assert run(tmp_path, trained).weight.item() != trained.weight.item()


def test_resume_continues_the_same_run_exactly(tmp_path):
    unbroken = run(tmp_path / "a", Doubling())
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "b", Doubling(broken_at=47))
    resumed = run(tmp_path / "b", Doubling(), resume=True)
    assert torch.equal(resumed.weight, unbroken.weight)
    assert json.loads((tmp_path / "a/history.json").read_text()) == json.loads(
        (tmp_path / "b/history.json").read_text()
    )


def test_resume_without_or_with_a_damaged_state(tmp_path):
    with pytest.raises(InputError, match="nothing to resume"):
        run(tmp_path, Doubling(), resume=True)
    (tmp_path / "state.safetensors").write_bytes(b"short")
    with pytest.raises(InputError, match="is damaged"):
        run(tmp_path, Doubling(), resume=True)


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
