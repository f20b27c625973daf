"""What is saved of a run: weights, average, moments, schedule; and files that do not fit."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from ovarnet.config import Optimisation
from ovarnet.errors import InputError
from ovarnet.training.engine.schedule import make_scheduler
from ovarnet.training.engine.training_state import TrainingState


class Line(nn.Module):
    def __init__(self, width=1):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width, 1))


def make(folder, ema=0.0, width=1, settings=None):
    model = Line(width)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.5)
    scheduler = make_scheduler(optimizer, Optimisation(iterations=10, warmup=4, decay=0.5))
    return model, TrainingState(model, optimizer, scheduler, folder, ema, settings)


def step(model, state):
    model.weight.square().sum().backward()
    state.optimizer.step()
    state.scheduler.step()
    state.optimizer.zero_grad()
    state.advance(model)


def test_the_running_average_is_what_is_kept(tmp_path):
    (model, averaged), (_, plain) = make(tmp_path, 0.75), make(tmp_path)
    for weight in (4.0, 8.0, 0.0):
        with torch.no_grad():
            model.weight.fill_(weight)
        averaged.advance(model)
        plain.advance(model)
    assert averaged.best_model(model).weight.item() == pytest.approx((4 * 0.75 + 8 * 0.25) * 0.75)
    assert plain.best_model(model) is model
    assert averaged.step == plain.step == 3


def test_a_resumed_state_is_the_saved_one(tmp_path):
    model, state = make(tmp_path, 0.9, settings={"seed": 3, "clip_norm": float("inf")})
    with torch.no_grad():
        model.weight.fill_(2.0)
    for _ in range(3):
        step(model, state)
    state.save(model)

    again, resumed = make(tmp_path, 0.9)
    assert resumed.saved_settings is None
    resumed.resume(again)
    assert resumed.step == 3
    assert torch.equal(again.weight, model.weight)
    assert torch.equal(resumed.best_model(again).weight, state.best_model(model).weight)
    assert resumed.optimizer.param_groups[0]["lr"] == 0.5 * 4 / 4
    assert resumed.saved_settings == {"seed": 3, "clip_norm": float("inf")}
    for one, other in ((model, state), (again, resumed)):
        step(one, other)
    assert torch.equal(again.weight, model.weight)


def test_states_of_earlier_versions_tell_no_settings(tmp_path):
    model, state = make(tmp_path)
    state.save(model)
    save_file(load_file(state.path), state.path, metadata={"step": "7"})
    state.resume(model)
    assert (state.step, state.saved_settings) == (7, None)


def test_files_that_are_missing_damaged_or_of_another_model(tmp_path):
    model, state = make(tmp_path)
    with pytest.raises(InputError, match="nothing to resume"):
        state.resume(model)
    state.path.write_bytes(b"short")
    with pytest.raises(InputError, match="is damaged"):
        state.resume(model)
    state.save(model)
    wider, other = make(tmp_path, width=2)
    with pytest.raises(
        InputError, match=r"state\.safetensors holds another architecture: weight has"
    ):
        other.resume(wider)
