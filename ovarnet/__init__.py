"""Find objects in an image and score any category and attribute words for each.

>>> import ovarnet
>>> model = ovarnet.load("scenes")
>>> found = model.detect("picture.jpg", categories=["mug", "car"], attributes=["red", "striped"])
"""

__version__ = "0.1.0"

_LAZY = {
    "load": "ovarnet.build.load",
    "OvarNet": "ovarnet.modeling.ovarnet",
    "ClipAttr": "ovarnet.modeling.clip_attr",
    "Vocabulary": "ovarnet.vocabulary",
    "Word": "ovarnet.vocabulary",
    "Detections": "ovarnet.structures",
    "Annotations": "ovarnet.structures",
    "Proposals": "ovarnet.structures",
    "InputError": "ovarnet.errors",
}

__all__ = ["__version__", *_LAZY]


def __getattr__(name: str) -> object:
    # torch takes seconds to import; `ovarnet --help` must not wait for it
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'ovarnet' has no attribute '{name}'")
