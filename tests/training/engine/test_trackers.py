"""Curves go to accelerate's trackers; the service is one of this file."""

from dataclasses import dataclass, field

import pytest
from accelerate import Accelerator
from accelerate.tracking import GeneralTracker

from ovarnet.config import Optimisation
from ovarnet.errors import InputError
from ovarnet.training.engine.recorder import Recorder
from ovarnet.training.engine.trackers import check_trackers, open_trackers


@dataclass
class Settings:
    output: str = "runs/x"
    seed: int = 3
    words: list = field(default_factory=lambda: ["mug"])
    optimisation: Optimisation = field(default_factory=Optimisation)


class Service(GeneralTracker):
    name = "service"
    requires_logging_directory = False
    main_process_only = True

    def __init__(self, refusal=None):
        super().__init__()
        self.refusal, self.settings, self.logged, self.is_finished = refusal, None, [], False

    @property
    def tracker(self):
        return self

    def store_init_configuration(self, values):
        if self.refusal:
            raise RuntimeError(self.refusal)
        self.settings = values

    def log(self, values, step):
        self.logged.append((step, values))

    def finish(self):
        self.is_finished = True


def test_settings_curves_and_the_end(tmp_path):
    service = Service()
    accelerator = Accelerator(cpu=True, log_with=[service])
    with (
        open_trackers(accelerator, Settings()),
        Recorder(tmp_path, 2, send=accelerator.log) as recorder,
    ):
        recorder.log(1, {"loss": 2.0})
        recorder.log(2, {"loss": 1.0})
        assert not service.is_finished
    assert service.settings["seed"] == 3
    assert service.settings["words"] == "['mug']"
    assert service.settings["optimisation.lr"] == 1e-4
    assert service.logged == [(1, {"loss": 2.0}), (2, {"loss": 1.0})]
    assert service.is_finished


def test_a_service_that_does_not_start_is_one_line():
    accelerator = Accelerator(cpu=True, log_with=[Service("no\nkey")])
    with pytest.raises(InputError) as caught, open_trackers(accelerator, Settings()):
        pass
    assert str(caught.value) == (
        "--log-with service: cannot be started (no key); log in, or leave it out: history.json and "
        "TensorBoard's curves are written anyway"
    )


def test_a_failed_run_ends_its_trackers_and_a_run_without_any_goes_on():
    service = Service()

    def failing():
        with open_trackers(Accelerator(cpu=True, log_with=[service]), Settings()):
            raise InputError("no data")

    with pytest.raises(InputError, match="no data"):
        failing()
    assert service.is_finished
    with open_trackers(Accelerator(cpu=True), Settings()):
        pass


def test_a_package_that_is_missing(monkeypatch):
    monkeypatch.setattr("ovarnet.training.engine.trackers.find_spec", lambda name: None)
    with pytest.raises(InputError) as caught:
        check_trackers(["wandb"])
    assert str(caught.value) == (
        "--log-with wandb needs the package wandb, which is not installed: pip install wandb"
    )
    check_trackers([])
