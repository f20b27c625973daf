"""Find objects in an image and score any category and attribute words for each.

>>> import ovarnet
>>> model = ovarnet.load("scenes")
>>> found = model.detect("picture.jpg", categories=["mug", "car"], attributes=["red", "striped"])
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ovarnet.build.hub_predictor import HubPredictor
    from ovarnet.build.load import load, load_model
    from ovarnet.catalogue.data.prepared import open_catalogue
    from ovarnet.catalogue.matcher import load_matcher
    from ovarnet.catalogue.search.index import load_index
    from ovarnet.errors import InputError
    from ovarnet.modeling.clip_attr import ClipAttr
    from ovarnet.modeling.ovarnet import OvarNet
    from ovarnet.modeling.predictor import Predictor
    from ovarnet.structures import Annotations, Detections, Proposals
    from ovarnet.video.tracking import track
    from ovarnet.vocabulary import Vocabulary, Word

__version__ = "0.1.0"

__all__ = [
    "Annotations",
    "ClipAttr",
    "Detections",
    "HubPredictor",
    "InputError",
    "OvarNet",
    "Predictor",
    "Proposals",
    "Vocabulary",
    "Word",
    "__version__",
    "load",
    "load_index",
    "load_matcher",
    "load_model",
    "open_catalogue",
    "track",
]

_LAZY = {
    "load": "ovarnet.build.load",
    "load_matcher": "ovarnet.catalogue.matcher",
    "load_model": "ovarnet.build.load",
    "load_index": "ovarnet.catalogue.search.index",
    "open_catalogue": "ovarnet.catalogue.data.prepared",
    "Predictor": "ovarnet.modeling.predictor",
    "HubPredictor": "ovarnet.build.hub_predictor",
    "OvarNet": "ovarnet.modeling.ovarnet",
    "ClipAttr": "ovarnet.modeling.clip_attr",
    "Vocabulary": "ovarnet.vocabulary",
    "Word": "ovarnet.vocabulary",
    "Detections": "ovarnet.structures",
    "Annotations": "ovarnet.structures",
    "Proposals": "ovarnet.structures",
    "InputError": "ovarnet.errors",
    "track": "ovarnet.video.tracking",
}
"""Name -> module, imported when first used: torch takes seconds, and `ovarnet --help` must not."""


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'ovarnet' has no attribute '{name}'")
