#!/usr/bin/env python
"""Compare OvarNet by PyTorch with its ONNX files: agreement, size and seconds per image.

    python tools/benchmark_onnx.py --models scenes photos --sizes 336x448 448x336
    python tools/benchmark_onnx.py --models RN50 ViT-B-16 --sizes 320x416 480x352 --runs 3

A model is the name of shipped weights or of a CLIP, which gets random weights and the full-size
design. Images are random. Each box that PyTorch finds is compared with the nearest one that ONNX
Runtime finds; embeddings are compared as unit vectors, scores over 20 + 20 random words. All run by
turns after one run that warms up, and the median counts. A ViT is exported once for each size.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ovarnet.build.load import load_model
from ovarnet.cli.commands.benchmark import design
from ovarnet.evaluation.untrained import random_words, untrained_ovarnet
from ovarnet.modeling.clip.clip import load_clip
from ovarnet.modeling.ovarnet import OvarNet
from ovarnet.modeling.region_model import RegionEmbeddings
from ovarnet.modeling.vit_pyramid import VitPyramid
from ovarnet.onnx.export import export
from ovarnet.onnx.int8 import quantise
from ovarnet.onnx.model import OnnxOvarNet, open_onnx
from ovarnet.onnx.settings import text_file
from ovarnet.shipped import shipped_models

WORDS = 20
GIVEN = torch.tensor([[10.0, 10, 60, 80], [0, 0, 200, 150], [50, 40, 90, 66]])


def main() -> int:
    """Print one line for each model, file and size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--sizes", nargs="+", type=size, required=True, metavar="HEIGHTxWIDTH")
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    for name in args.models:
        model = open_model(name, args.sizes)
        fixed = isinstance(model.backbone, VitPyramid)
        for sizes in [[one] for one in args.sizes] if fixed else [args.sizes]:
            with tempfile.TemporaryDirectory() as folder:
                paths = files(model, Path(folder), sizes[0] if fixed else None)
                compare(name, model, paths, sizes, args.runs)
    return 0


def size(text: str) -> tuple[int, int]:
    """Height and width, such as 320x416."""
    height, width = map(int, text.split("x"))
    return height, width


def open_model(name: str, sizes: Sequence[tuple[int, int]]) -> OvarNet:
    """Shipped weights, or a full-size model with random ones that leaves images as they are."""
    if name in shipped_models():
        model = load_model(name, device="cpu")
        assert isinstance(model, OvarNet)
        return model
    torch.manual_seed(0)
    long = max(map(max, sizes))
    settings = design(
        argparse.Namespace(size=[long, long], finest_stride=8, layers=4, window=14, boxes=100), name
    )
    settings.short_side = (1, long)
    return untrained_ovarnet(load_clip(name, None, random_weights=True), settings)


def files(model: OvarNet, folder: Path, size: tuple[int, int] | None) -> dict[str, Path]:
    """{"float32": the exported graph, "int8": the quantised one}, with their text towers."""
    whole, small = folder / "float32.onnx", folder / "int8.onnx"
    for file in export(model, whole, size=size):
        quantise(file, file.with_name(file.name.replace(whole.stem, small.stem)))
    return {"float32": whole, "int8": small}


@torch.no_grad()
def compare(
    name: str,
    model: OvarNet,
    paths: dict[str, Path],
    sizes_of_images: Sequence[tuple[int, int]],
    runs: int,
) -> None:
    """Print the sizes of the files, and agreement and seconds at every size of image."""
    parameters = sum(tensor.numel() for tensor in model.detector_parts().state_dict().values())
    print(f"{name}: {parameters / 1e6:.1f} M numbers in the detector", flush=True)
    exported = {}
    for kind, path in paths.items():
        found = open_onnx(path, torch.device("cpu"))
        assert isinstance(found, OnnxOvarNet)
        exported[kind] = found
        sizes = [file.stat().st_size / 1e6 for file in (path, text_file(path))]
        print(f"  {kind}: graph {sizes[0]:.1f} MB, text {sizes[1]:.1f} MB", flush=True)
    for height, width in sizes_of_images:
        image = torch.rand(3, height, width, generator=torch.Generator().manual_seed(height))
        calls: dict[str, Callable[[], object]] = {"PyTorch": lambda image=image: model([image])}
        for kind, one in exported.items():
            print(f"  {height}x{width} {kind}: {differences(model, one, image)}", flush=True)
            calls[kind] = lambda one=one, image=image: one.run([image])
        print(f"  {height}x{width} seconds: {seconds(calls, runs)}", flush=True)


def differences(model: OvarNet, exported: OnnxOvarNet, image: Tensor) -> str:
    """Largest differences in what is found, and in the embeddings of given boxes."""
    (own,), (found,) = model([image]), exported([image])
    (own_given,), (given,) = (each([image], [GIVEN]) for each in (model, exported))
    nearest = torch.cdist(own.boxes, found.boxes).argmin(dim=1)
    matched = RegionEmbeddings(*(field[nearest] for field in found))
    ours, theirs = own_given.embeddings, given.embeddings
    return (
        f"{len(own.boxes)} and {len(found.boxes)} boxes, largest difference of boxes "
        f"{largest(own.boxes, matched.boxes):.1e} px, objectness "
        f"{largest(own.objectness, matched.objectness):.1e}, scores "
        f"{score_difference(model, own.embeddings, matched.embeddings):.1e}; given boxes: "
        f"embeddings {largest(F.normalize(ours), F.normalize(theirs)):.1e}, scores "
        f"{score_difference(model, ours, theirs):.1e}"
    )


def largest(ours: Tensor, theirs: Tensor) -> float:
    """The largest difference of two tensors."""
    return float((ours - theirs).abs().max())


def score_difference(model: OvarNet, ours: Tensor, theirs: Tensor) -> float:
    """The largest difference of the scores of random words."""
    kinds = ("category", "attribute")
    words = [random_words(WORDS, ours.shape[1], kind, model.device) for kind in kinds]
    return max(
        largest(model.classifier(ours, one).sigmoid(), model.classifier(theirs, one).sigmoid())
        for one in words
    )


def seconds(calls: dict[str, Callable[[], object]], runs: int) -> str:
    """Median seconds of each call; they take turns, so that a busy machine slows all alike."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(1 + runs):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return ", ".join(f"{name} {statistics.median(rows[1:]):.3f}" for name, rows in times.items())


if __name__ == "__main__":
    raise SystemExit(main())
