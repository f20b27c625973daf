"""Settings of the training loop, the same for every stage."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ovarnet.config.allowed import setting

MOST_ITERATIONS = 10_000_000


@dataclass
class Optimisation:
    """AdamW: linear warm-up, a constant rate, then cosine decay.

    The decay takes the last `decay` share of the iterations.
    """

    iterations: int = setting(1000, at_least=1, at_most=MOST_ITERATIONS)
    batch_size: int = setting(64, at_least=1, at_most=2**16)
    """Over all processes together."""
    lr: float = setting(1e-4, more_than=0, at_most=1000)
    weight_decay: float = setting(5e-4, at_least=0, at_most=1000)
    betas: tuple[float, float] = setting((0.9, 0.999), at_least=0, less_than=1, items=(2, 2))
    warmup: int = setting(100, at_least=0, at_most=MOST_ITERATIONS)
    """Iterations."""
    decay: float = setting(0.4, at_least=0, at_most=1)
    clip_norm: float = setting(35.0, more_than=0, at_most=math.inf, note=", or .inf: no clipping")
    """Largest norm of the gradient of all parameters."""
    ema: float = setting(0.0, at_least=0, less_than=1)
    """Decay of the running average of the weights that is saved; 0 saves the weights themselves."""
    save_every: int = setting(500, at_least=1, at_most=MOST_ITERATIONS)
    workers: int = setting(0, at_least=0, at_most=256)
    """Processes that read data beside each training process."""
    mixed_precision: str = setting("no", one_of=("no", "fp16", "bf16"))

    def __post_init__(self) -> None:
        if self.mixed_precision == "False":  # YAML reads a bare no as false
            self.mixed_precision = "no"
