"""detectron2: our datasets in its catalogs, our models as its meta-architectures.

Importing this package registers the meta-architectures ``OvarNet`` and ``ClipAttr`` and the
datasets of `catalog.BUILTIN`. A model of detectron2 as a proposer: `ovarnet.proposals.detectron2`.
"""

from ovarnet.errors import InputError
from ovarnet.proposals.detectron2 import INSTALL

try:
    import detectron2  # noqa: F401 (whether it is installed)
except ImportError as error:
    raise InputError(
        f"ovarnet.integrations.detectron2 needs detectron2 ({error}): {INSTALL}"
    ) from None

from ovarnet.integrations.detectron2.catalog import register_builtin, register_dataset
from ovarnet.integrations.detectron2.clip_attr import ClipAttr
from ovarnet.integrations.detectron2.config import add_ovarnet_config
from ovarnet.integrations.detectron2.dataset_mapper import AttributeMapper
from ovarnet.integrations.detectron2.evaluator import OvarEvaluator
from ovarnet.integrations.detectron2.instances import from_instances, to_instances
from ovarnet.integrations.detectron2.meta_arch import GivenBoxes
from ovarnet.integrations.detectron2.ovarnet import OvarNet
from ovarnet.integrations.detectron2.visualizer import AttributeVisualizer

__all__ = [
    "AttributeMapper",
    "AttributeVisualizer",
    "ClipAttr",
    "GivenBoxes",
    "OvarEvaluator",
    "OvarNet",
    "add_ovarnet_config",
    "from_instances",
    "register_builtin",
    "register_dataset",
    "to_instances",
]

register_builtin()
