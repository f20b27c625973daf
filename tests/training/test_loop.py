import json

import pytest
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import Dataset

from ovarnet.config import Optimisation
from ovarnet.errors import InputError
from ovarnet.training.loop import check_finite, run_stage


class Numbers(Dataset):
    def __len__(self):
        return 10

    def __getitems__(self, keys):
        return torch.tensor([[float(index)] for _, index in keys])


class Doubling(nn.Module):
    """Learns y = 2 x + noise that the model draws; stops like a power cut after `broken_at` calls."""

    def __init__(self, broken_at=None):
        super().__init__()
        self.weight, self.calls, self.broken_at = nn.Parameter(torch.zeros(1, 1)), 0, broken_at

    def forward(self, batch):
        self.calls += 1
        if self.calls == self.broken_at:
            raise KeyboardInterrupt
        return {"square": (batch @ self.weight - 2 * batch - 0.1 * torch.randn_like(batch)).square().mean()}


SETTINGS = Optimisation(iterations=60, batch_size=4, lr=0.1, weight_decay=0.0, warmup=5, save_every=20, ema=0.9)


def run(folder, model, resume=False):
    return run_stage(model, Numbers(), SETTINGS, Accelerator(cpu=True), output=folder, seed=1, resume=resume)


def test_learns_and_writes_curves(tmp_path):
    best = run(tmp_path, Doubling())
    assert best.weight.item() == pytest.approx(2.0, abs=0.1)
    history = json.loads((tmp_path / "history.json").read_text())
    assert [step for step, _ in history["square"]] == list(range(3, 61, 3)) and history["square"][-1][1] < history["square"][0][1]
    assert (tmp_path / "curves.png").stat().st_size > 1000 and list((tmp_path / "tensorboard").iterdir())


def test_resume_continues_the_same_run_exactly(tmp_path):
    unbroken = run(tmp_path / "a", Doubling())
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "b", Doubling(broken_at=47))
    resumed = run(tmp_path / "b", Doubling(), resume=True)
    assert torch.equal(resumed.weight, unbroken.weight)
    assert json.loads((tmp_path / "a/history.json").read_text()) == json.loads((tmp_path / "b/history.json").read_text())


def test_resume_without_or_with_a_damaged_state(tmp_path):
    with pytest.raises(InputError, match="nothing to resume"):
        run(tmp_path, Doubling(), resume=True)
    (tmp_path / "state.safetensors").write_bytes(b"short")
    with pytest.raises(InputError, match="is damaged"):
        run(tmp_path, Doubling(), resume=True)


def test_a_loss_that_is_not_finite_stops_and_names_the_term():
    check_finite({"a": torch.tensor(1.0)}, 3)
    with pytest.raises(InputError, match=r"iteration 3: loss b = nan, c = inf; lower optimisation\.lr"):
        check_finite({"a": torch.tensor(1.0), "b": torch.tensor(float("nan")), "c": torch.tensor(float("inf"))}, 3)
