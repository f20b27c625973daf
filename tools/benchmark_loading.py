"""Time and peak memory of reading annotations, images per second of reading, and training samples per second of the full-size pipeline.

    python tools/benchmark_loading.py vaw                             a made-up VAW training file of 260,895 instances with polygons
    python tools/benchmark_loading.py prepare                         `ovarnet prepare vaw` on such a release, with 72,274 small pictures
    python tools/benchmark_loading.py coco                            a made-up COCO file of 118,287 images, 860,001 boxes with polygons
    python tools/benchmark_loading.py images --photos FOLDER          real photos: share of opening, decoding, cropping
    python tools/benchmark_loading.py samples --photos COCO128        step I on the boxes of FOLDER/instances.json and FOLDER/images:
                                                                      --clip RN50 or ViT-B-16, random weights, as configs/coco_vaw trains it

Peak memory is that of the whole process, the imports (about 0.4 GB with torch) included.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from ovarnet.cli import main as cli
from ovarnet.data.coco import coco_vocabulary, load_coco
from ovarnet.data.vaw import load_vaw
from ovarnet.errors import InputError
from ovarnet.io.image_folders import list_images
from ovarnet.io.images import read_image, read_image_size, to_pixels
from ovarnet.splits import VAW_NOVEL_79
from ovarnet.vocabulary import Vocabulary


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("vaw", "prepare", "coco", "images", "samples"))
    parser.add_argument("--share", type=float, default=1.0, help="of the full number of records")
    parser.add_argument("--photos", type=Path, help="folder of photos")
    parser.add_argument("--clip", default="ViT-B-16", help="samples: architecture of open_clip")
    parser.add_argument("--batch", type=int, default=16, help="samples: boxes per iteration")
    parser.add_argument(
        "--iterations",
        type=int,
        default=4,
        help="samples: how many are timed, after one to warm up",
    )
    args = parser.parse_args()
    if args.what in ("images", "samples") and args.photos is None:
        raise InputError(f"{args.what} needs --photos, a folder")
    if args.what == "samples":
        measure_samples(args)
        return
    if args.what == "images":
        measure_images(args.photos)
        return
    with tempfile.TemporaryDirectory() as folder:
        if args.what == "prepare":
            measure_prepare(Path(folder), args.share)
            return
        {"vaw": measure_vaw, "coco": measure_coco}[args.what](
            Path(folder) / "annotations.json", args.share
        )


def measure_vaw(path: Path, share: float) -> None:
    instances, images, words = (
        int(260_895 * share),
        int(72_274 * share),
        [f"attribute {n}" for n in range(620)],
    )
    write_vaw(path, range(instances), images, words)
    sizes = {str(number): (480, 640) for number in range(images)}
    report(path, instances, lambda: load_vaw(path, None, Vocabulary.of([], words), sizes))


def measure_prepare(root: Path, share: float) -> None:
    """The seconds of the command itself, told by its last line; the pictures differ in their last
    bytes.
    """
    images, words = (
        int(72_274 * share),
        [f"attribute {n}" for n in range(541)] + sorted(VAW_NOVEL_79),
    )
    parts = {"train_part1": 0.5, "train_part2": 0.81, "val": 0.86, "test": 1.0}
    for (name, end), start in zip(
        parts.items(), (0.0, *parts.values()), strict=False
    ):  # an image lies in one split
        numbers = [n for n in range(int(260_895 * share)) if start <= n % images / images < end]
        write_vaw(root / f"{name}.json", numbers, images, words)
    (root / "attribute_index.json").write_text(
        json.dumps({word: n for n, word in enumerate(words)})
    )
    for name in ("attribute_types", "attribute_parent_types", "head_tail"):
        (root / f"{name}.json").write_text("{}")
    (root / "images").mkdir()
    stream = io.BytesIO()
    Image.new("RGB", (640, 480)).save(stream, "JPEG")
    for number in range(images):
        (root / f"images/{number}.jpg").write_bytes(stream.getvalue() + number.to_bytes(4, "big"))
    for run in ("first run", "again, with its index of sizes"):
        cpu = time.process_time()
        print(f"-- {run}")
        cli.main(["prepare", "vaw", "--root", str(root)])
        print(f"{time.process_time() - cpu:.1f} s of CPU, peak memory {peak():.2f} GB")


def write_vaw(path: Path, numbers: Iterable[int], images: int, words: list[str]) -> None:
    draw = random.Random(0)
    with path.open("w") as file:
        for place, number in enumerate(numbers):
            record = {
                "image_id": str(number % images),
                "instance_id": str(10_000_000 + number),
                "instance_bbox": [1.0, 2.0, 30.5, 40.5],
                "instance_polygon": polygon(draw, nested=True),
                "object_name": f"object {number % 2260}",
                "positive_attributes": draw.sample(words, 2),
                "negative_attributes": draw.sample(words, 2),
            }
            file.write(("[" if place == 0 else ",\n") + json.dumps(record))
        file.write("]")


def measure_coco(path: Path, share: float) -> None:
    images, boxes, draw = int(118_287 * share), int(860_001 * share), random.Random(0)
    categories = [{"id": n, "name": f"thing {n}", "supercategory": "thing"} for n in range(80)]
    with path.open("w") as file:
        file.write('{"categories": ' + json.dumps(categories) + ', "images": [')
        for number in range(images):
            record = {
                "id": number,
                "file_name": f"{number:012d}.jpg",
                "height": 480,
                "width": 640,
                "license": 1,
            }
            file.write((",\n" if number else "") + json.dumps(record))
        file.write('], "annotations": [')
        for number in range(boxes):
            record = {
                "id": number,
                "image_id": number % images,
                "category_id": number % 80,
                "bbox": [1.0, 2.0, 30.5, 40.5],
                "area": 1235.25,
                "iscrowd": 0,
                "segmentation": polygon(draw, nested=False),
            }
            file.write((",\n" if number else "") + json.dumps(record))
        file.write("]}")
    vocabulary = Vocabulary.of([category["name"] for category in categories])
    report(path, boxes, lambda: load_coco(path, None, vocabulary))


def polygon(draw: random.Random, *, nested: bool) -> list:
    """25 corners, about what the real files have."""
    corners = [[round(draw.uniform(0, 640), 2), round(draw.uniform(0, 480), 2)] for _ in range(25)]
    return [corners] if nested else [[value for corner in corners for value in corner]]


def report(path: Path, records: int, load) -> None:
    before, cpu, started = peak(), time.process_time(), time.perf_counter()
    images = load()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(
        f"{path.stat().st_size / 1e6:,.0f} MB, {records:,} records -> {len(images):,} images with "
        f"{sum(map(len, images)):,} boxes: "
        f"{seconds:.1f} s ({cpu:.1f} s of CPU), peak memory {peak():.2f} GB ({before:.2f} GB "
        "before)"
    )


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def measure_images(folder: Path | None) -> None:
    """Seconds of CPU per photo of each step that a training sample of CLIP-Attr goes through; the
    largest is the bottleneck.
    """
    import torch

    from ovarnet.modeling.crops import crop_boxes

    files, spent = (
        list_images([folder]),
        {"header": 0.0, "decode": 0.0, "to tensor": 0.0, "10 crops of 224": 0.0},
    )
    for file in files:
        _, spent["header"] = timed(lambda file=file: read_image_size(file), spent["header"])
        array, spent["decode"] = timed(lambda file=file: read_image(file), spent["decode"])
        pixels, spent["to tensor"] = timed(lambda: to_pixels(array), spent["to tensor"])  # noqa: B023
        height, width = pixels.shape[1:]
        boxes = torch.tensor(
            [[0.0, 0.0, width * (n + 1) / 10, height * (n + 1) / 10] for n in range(10)]
        )
        _, spent["10 crops of 224"] = timed(
            lambda: crop_boxes(pixels, boxes, 224, (0.5,) * 3, (0.5,) * 3), spent["10 crops of 224"]
        )
    total = sum(spent.values())
    for step, seconds in spent.items():
        print(
            f"{step:16}{1000 * seconds / len(files):8.2f} ms per "
            f"photo{100 * seconds / total:6.0f} %"
        )
    print(
        f"{len(files)} photos, one thread: {len(files) / total:.1f} photos per second of CPU; "
        f"bottleneck: {max(spent, key=spent.get)}"
    )


def measure_samples(args) -> None:
    """Seconds of CPU per box of each part of an iteration of step I with a frozen image tower;
    images are read anew at every visit.
    """
    import torch

    from ovarnet.modeling.clip.clip import load_clip
    from ovarnet.modeling.text.classifier import TextClassifier
    from ovarnet.modeling.text.prompts import LearnedPrompts
    from ovarnet.training.data.crops import CropRule, ImageCache, seeded

    file = args.photos / "instances.json"
    vocabulary = coco_vocabulary(file, "48/17")
    photos = load_coco(file, args.photos / "images", vocabulary)
    boxes = [
        (photo.file, photo.boxes[row : row + 1]) for photo in photos for row in range(len(photo))
    ]
    words = [word for word in vocabulary.categories if word.seen]
    clip = load_clip(args.clip, None, random_weights=True)
    clip.model.visual.requires_grad_(False)
    classifier, draw, parts = (
        TextClassifier(clip, LearnedPrompts(clip.text_width), bias=0.0).train(),
        random.Random(0),
        Parts(),
    )
    for iteration in range(args.iterations + 1):
        if iteration == 1:
            parts, started = Parts(), time.perf_counter()  # the first was to warm up
        chosen, images = draw.choices(boxes, k=args.batch), ImageCache(1 << 20)
        with parts("read and decode"):
            for path, _ in chosen:
                images.read(path)
        with parts("random crop to 224"):
            rule = CropRule(clip, images)
            crops = torch.cat(
                [
                    rule.random(path, box, seeded(iteration, n))
                    for n, (path, box) in enumerate(chosen)
                ]
            )
        with parts("image tower (frozen)"):
            embeddings = clip.encode_image(crops)
        with parts("words, loss and backward"):
            classifier(embeddings, classifier.embed(words, "category")).sigmoid().mean().backward()
    wall, samples, total = (
        time.perf_counter() - started,
        args.batch * args.iterations,
        sum(parts.spent.values()),
    )
    for part, seconds in parts.spent.items():
        print(
            f"{part:26}{1000 * seconds / samples:9.2f} ms of CPU per "
            f"box{100 * seconds / total:6.0f} %"
        )
    loading = parts.spent["read and decode"] + parts.spent["random crop to 224"]
    print(
        f"{args.clip}, batch {args.batch}, {len(words)} words, {torch.get_num_threads()} "
        f"thread(s): {samples / total:.2f} boxes a second "
        f"of CPU ({samples / wall:.2f} of wall time); loading alone {samples / loading:.1f}; "
        f"bottleneck: {max(parts.spent, key=parts.spent.get)}; peak memory {peak():.2f} GB"
    )


class Parts:
    """Seconds of CPU of each part of a step, under its name."""

    def __init__(self):
        self.spent: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str):
        started = time.process_time()
        yield
        self.spent[name] = self.spent.get(name, 0.0) + time.process_time() - started


def timed(step, spent: float) -> tuple:
    started = time.process_time()
    value = step()
    return value, spent + time.process_time() - started


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(cli.EXIT_BAD_INPUT) from None
