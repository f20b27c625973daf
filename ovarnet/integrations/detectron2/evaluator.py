"""Our metrics as a `DatasetEvaluator` of detectron2."""

from __future__ import annotations

import logging
from collections import ChainMap, OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from detectron2.evaluation import DatasetEvaluator
from detectron2.structures import Instances
from detectron2.utils import comm

from ovarnet.errors import InputError
from ovarnet.evaluation.evaluate import evaluate_predictions
from ovarnet.evaluation.protocols import FREE, SETTINGS
from ovarnet.evaluation.report import Report
from ovarnet.integrations.detectron2.catalog import dataset_vocabulary, read_dataset
from ovarnet.integrations.detectron2.dataset_dicts import from_dataset_dict
from ovarnet.integrations.detectron2.instances import from_instances
from ovarnet.structures import Detections

logger = logging.getLogger(__name__)


class OvarEvaluator(DatasetEvaluator):
    """Scores `Instances` by the protocols of `ovarnet evaluate`.

    Box-free: COCO-OVD AP50, mAP of attributes by all protocols, recall. Box-given, with the outputs
    of `GivenBoxes`: accuracy and AP of categories, mAP of attributes. Any detector of detectron2
    whose classes are the dataset's can be scored; without ``attribute_scores`` it has no attribute
    metrics.

    Args:
        dataset_name: Registered with `register_dataset`.
        setting: "box-free" or "box-given".
        output_dir: Where ``metrics-SETTING.json`` is written; None: nowhere.

    Raises:
        InputError: An unknown setting, or a dataset that cannot be read.
    """

    def __init__(
        self, dataset_name: str, *, setting: str = FREE, output_dir: str | Path | None = None
    ):
        if setting not in SETTINGS:
            raise InputError(f"setting {setting!r} is unknown; choose from {', '.join(SETTINGS)}")
        self.setting = setting
        self.output_dir = None if output_dir is None else Path(output_dir)
        records = read_dataset(dataset_name)
        self.vocabulary = dataset_vocabulary(dataset_name)
        self.annotations = [from_dataset_dict(record, self.vocabulary) for record in records]
        self.dataset_name = dataset_name
        self.reset()

    def reset(self) -> None:
        """Forget what was processed."""
        self._found: dict[str, Detections] = {}

    def process(
        self, inputs: Sequence[dict[str, Any]], outputs: Sequence[dict[str, Instances]]
    ) -> None:
        """Keep the outputs of a batch, matched with their images by ``image_id``."""
        for one, output in zip(inputs, outputs, strict=True):
            self._found[str(one["image_id"])] = from_instances(output["instances"], self.vocabulary)

    def evaluate(self) -> dict[str, dict[str, float]] | None:
        """Score all images of the dataset.

        Returns:
            {"SETTING MEASURE": {"GROUP": value in percent}}, protocols other than the first of a
            measure after the group; in other processes than the first, None.

        Raises:
            InputError: Images of the dataset were not processed: numbers over fewer images would be
                other numbers.
        """
        comm.synchronize()
        found = dict(ChainMap(*comm.gather(self._found)))
        if not comm.is_main_process():
            return None
        missing = [one.image_id for one in self.annotations if one.image_id not in found]
        if missing:
            raise InputError(
                f"{self.dataset_name}: {len(missing)} of {len(self.annotations)} images have no "
                f"output, such as {missing[0]}; run the model over the whole dataset"
            )
        report = evaluate_predictions(
            {self.setting: [found[one.image_id] for one in self.annotations]},
            self.vocabulary,
            self.annotations,
            about={"dataset": self.dataset_name},
        )
        logger.info("%s", report.table())
        if self.output_dir is not None:
            report.write(self.output_dir / f"metrics-{self.setting}.json")
        return _results(report)


def _results(report: Report) -> dict[str, dict[str, float]]:
    """The rows in detectron2's form: task -> metric -> value in percent."""
    results: dict[str, dict[str, float]] = OrderedDict()
    first: dict[str, str] = {}
    for row in report.rows:
        task = f"{row.setting} {row.measure}"
        protocol = first.setdefault(task, row.protocol)
        metric = row.group if row.protocol == protocol else f"{row.group} ({row.protocol})"
        results.setdefault(task, OrderedDict())[metric] = 100 * row.value
    return results
