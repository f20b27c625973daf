"""Package definition. Everything is a plain wheel from the package index: nothing is compiled, a
CPU is enough.
"""

from pathlib import Path

from setuptools import find_namespace_packages, setup

setup(
    name="ovarnet",
    version="0.1.0",
    description="Finds objects in an image and says, for any words you bring, what each one is "
    "and which attributes it has",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_namespace_packages(include=["ovarnet", "ovarnet.*"]),
    package_data={
        "ovarnet": ["examples/*", "weights/**/*"],
        "ovarnet.modeling.clip": ["configs/*.json"],
    },
    entry_points={"console_scripts": ["ovarnet = ovarnet.cli.main:main"]},
    install_requires=[
        # 2.13.0 resolves to a CPU-only build on some machines, against which torchvision's compiled
        # ops do not load
        "torch>=2.6,!=2.13.0",
        "torchvision",
        "numpy",
        "open_clip_torch",
        "accelerate",
        "safetensors",
        "huggingface_hub",
        "omegaconf",
        "pyyaml",
        "opencv-python-headless",
        "pillow>=10.1",
        "supervision>=0.24",
        "matplotlib",
        "pycocotools",
        "faster-coco-eval",
        "scikit-learn",
        "spacy>=3.7",  # tokeniser and matcher of the caption parser; no trained pipeline is needed
        # the glyphs of the generated world; another version draws another world
        "fontawesomefree==6.6.0",
        "tensorboard",
        "tqdm",
    ],
    extras_require={"test": ["pytest", "ruff"]},
)
