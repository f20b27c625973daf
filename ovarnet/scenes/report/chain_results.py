"""The output of a finished chain, loaded for its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ovarnet
from ovarnet.data.datasets import open_dataset
from ovarnet.modeling.predictor import Predictor
from ovarnet.scenes.chain.ledger import Ledger
from ovarnet.scenes.chain.steps import MODELS, Places
from ovarnet.scenes.report import tables
from ovarnet.scenes.report.numbers import Metrics
from ovarnet.scenes.report.timing import milliseconds_per_image
from ovarnet.structures import Annotations
from ovarnet.vocabulary import Vocabulary

TIMED = 30
"""Test images on which the two models are timed."""
TEACHER, STUDENT = MODELS["step_two"], MODELS["ovarnet"]


@dataclass
class ChainResults:
    """The output of a finished chain.

    Attributes:
        places: Where the chain wrote.
        ledger: What was run, and for how long.
        metrics: Evaluation of each model, by the titles of `MODELS`.
        models: The models themselves, by the same titles.
        vocabulary: The words of the generated world.
        images: Annotations of the test split.
        milliseconds: Time of one image for `TEACHER` and `STUDENT`.
    """

    places: Places
    ledger: Ledger
    metrics: dict[str, Metrics]
    models: dict[str, Predictor]
    vocabulary: Vocabulary
    images: Sequence[Annotations]
    milliseconds: dict[str, float]

    @classmethod
    def open(cls, places: Places) -> ChainResults:
        """Load everything, and time the teacher and the student."""
        vocabulary, images = open_dataset("scenes", places.world, "test")
        models: dict[str, Predictor] = {
            title: ovarnet.load(places.checkpoint(name)) for name, title in MODELS.items()
        }
        timed = {title: models[title] for title in (TEACHER, STUDENT)}
        metrics = {
            title: Metrics.read(places.evaluation(name) / "metrics.json")
            for name, title in MODELS.items()
        }
        return cls(
            places,
            Ledger.open(places.output),
            metrics,
            models,
            vocabulary,
            images,
            milliseconds_per_image(timed, [image.file for image in images[:TIMED]]),
        )

    @property
    def minutes(self) -> dict[str, float]:
        """Title of each step -> minutes."""
        return {entry.title: entry.seconds / 60 for entry in self.ledger.entries.values()}

    def tables(self) -> list[tables.Table]:
        """Box-given, box-free, parent types, proposals and speed, in this order."""
        proposers = {
            "offline proposer (of CLIP-Attr)": self.metrics[TEACHER],
            "OvarNet's own": self.metrics[STUDENT],
        }
        return [
            tables.box_given(self.metrics),
            tables.box_free(self.metrics),
            tables.parent_types(self.metrics),
            tables.proposals(proposers),
            tables.speed(self.milliseconds, min(TIMED, len(self.images))),
        ]
