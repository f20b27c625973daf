"""Time and peak memory of reading annotations, images and training samples.

python tools/benchmark_loading.py vaw       a made-up VAW training file of 260,895 instances with
                                            polygons
python tools/benchmark_loading.py prepare   `ovarnet prepare vaw` on such a release, with 72,274
                                            small pictures
python tools/benchmark_loading.py coco      a made-up COCO file of 118,287 images, 860,001 boxes
                                            with polygons
python tools/benchmark_loading.py images --photos FOLDER     real photos: share of opening,
                                            decoding, cropping
python tools/benchmark_loading.py samples --photos COCO128   step I on the boxes of
                                            FOLDER/instances.json and FOLDER/images, with random
                                            weights of --clip, trained as configs/coco_vaw does

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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from ovarnet.cli import main as cli
from ovarnet.data.coco import coco_vocabulary, load_coco
from ovarnet.data.vaw import load_vaw
from ovarnet.errors import InputError
from ovarnet.io.image_folders import list_images
from ovarnet.io.images import read_image, read_image_size, to_pixels
from ovarnet.splits import VAW_NOVEL_79
from ovarnet.structures import Annotations
from ovarnet.vocabulary import Vocabulary, Word

if TYPE_CHECKING:
    from torch import Tensor

    from ovarnet.modeling.clip.clip import Clip
    from ovarnet.modeling.text.classifier import TextClassifier


def main() -> None:
    """Run the benchmark that the command line names."""
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
        elif args.what == "vaw":
            measure_vaw(Path(folder) / "annotations.json", args.share)
        else:
            measure_coco(Path(folder) / "annotations.json", args.share)


def measure_vaw(path: Path, share: float) -> None:
    """Read a made-up VAW file."""
    instances, images = int(260_895 * share), int(72_274 * share)
    words = [f"attribute {n}" for n in range(620)]
    write_vaw(path, range(instances), images, words)
    sizes = {str(number): (480, 640) for number in range(images)}
    report(path, instances, lambda: load_vaw(path, None, Vocabulary.of([], words), sizes))


def measure_prepare(root: Path, share: float) -> None:
    """Prepare a made-up VAW release twice; the pictures differ in their last bytes."""
    images = int(72_274 * share)
    words = [f"attribute {n}" for n in range(541)] + sorted(VAW_NOVEL_79)
    # Each image lies in one split.
    ends = {"train_part1": 0.5, "train_part2": 0.81, "val": 0.86, "test": 1.0}
    for (name, end), start in zip(ends.items(), (0.0, *ends.values()), strict=False):
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
    """Write VAW records of the instances `numbers`, spread over the images."""
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
    """Read a made-up COCO file."""
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


def report(path: Path, records: int, load: Callable[[], Sequence[Annotations]]) -> None:
    """Print time and peak memory of `load`, which returns annotations."""
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
    """Peak memory of this process in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def measure_images(folder: Path) -> None:
    """CPU time per photo of each step that a training sample of CLIP-Attr goes through."""
    import torch

    from ovarnet.modeling.crops import crop_boxes

    files, parts = list_images([folder]), Parts()
    for file in files:
        with parts("header"):
            read_image_size(file)
        with parts("decode"):
            array = read_image(file)
        with parts("to tensor"):
            pixels = to_pixels(array)
        height, width = pixels.shape[1:]
        boxes = torch.tensor([[0.0, 0.0, width * n / 10, height * n / 10] for n in range(1, 11)])
        with parts("10 crops of 224"):
            crop_boxes(pixels, boxes, 224, (0.5,) * 3, (0.5,) * 3)
    parts.print_shares(len(files), "photo")
    total = sum(parts.spent.values())
    print(f"{len(files)} photos, one thread: {len(files) / total:.1f} photos per second of CPU")


def measure_samples(args: argparse.Namespace) -> None:
    """CPU time per box of each part of an iteration of step I with a frozen image tower.

    Images are read again at every visit.
    """
    import torch

    from ovarnet.modeling.clip.clip import load_clip
    from ovarnet.modeling.text.classifier import TextClassifier
    from ovarnet.modeling.text.prompts import LearnedPrompts

    file = args.photos / "instances.json"
    vocabulary = coco_vocabulary(file, "48/17")
    photos = load_coco(file, args.photos / "images", vocabulary)
    boxes = [(photo.file, box[None]) for photo in photos for box in photo.boxes]
    words = [word for word in vocabulary.categories if word.seen]
    clip = load_clip(args.clip, None, random_weights=True)
    clip.model.visual.requires_grad_(False)
    classifier = TextClassifier(clip, LearnedPrompts(clip.text_width), bias=0.0).train()
    draw = random.Random(0)

    run_iteration(clip, classifier, words, draw.choices(boxes, k=args.batch), Parts())  # warm-up
    parts, started = Parts(), time.perf_counter()
    for _ in range(args.iterations):
        run_iteration(clip, classifier, words, draw.choices(boxes, k=args.batch), parts)
    wall, samples = time.perf_counter() - started, args.batch * args.iterations

    parts.print_shares(samples, "box")
    total = sum(parts.spent.values())
    loading = parts.spent["read and decode"] + parts.spent["random crop to 224"]
    print(
        f"{args.clip}, batch {args.batch}, {len(words)} words, {torch.get_num_threads()} "
        f"thread(s): {samples / total:.2f} boxes a second of CPU ({samples / wall:.2f} of wall "
        f"time); loading alone {samples / loading:.1f}; peak memory {peak():.2f} GB"
    )


def run_iteration(
    clip: Clip,
    classifier: TextClassifier,
    words: list[Word],
    chosen: list[tuple[str, Tensor]],
    parts: Parts,
) -> None:
    """One step of training without the optimiser. chosen: files, and one box (1, 4) of each."""
    import torch

    from ovarnet.training.data.crops import CropRule, ImageCache, seeded

    images = ImageCache(1 << 20)
    with parts("read and decode"):
        for file, _ in chosen:
            images.read(file)
    with parts("random crop to 224"):
        rule = CropRule(clip, images)
        crops = torch.cat(
            [rule.random(file, box, seeded(0, n)) for n, (file, box) in enumerate(chosen)]
        )
    with parts("image tower (frozen)"):
        embeddings = clip.encode_image(crops)
    with parts("words, loss and backward"):
        classifier(embeddings, classifier.embed(words, "category")).sigmoid().mean().backward()


class Parts:
    """CPU seconds of each part of a step, by name."""

    def __init__(self):
        self.spent: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Count the time of a block under `name`."""
        started = time.process_time()
        yield
        self.spent[name] = self.spent.get(name, 0.0) + time.process_time() - started

    def print_shares(self, count: int, unit: str) -> None:
        """Print each part per `unit`, of which there were `count`, and name the largest."""
        total = sum(self.spent.values())
        for name, seconds in self.spent.items():
            per_unit = 1000 * seconds / count
            print(f"{name:26}{per_unit:9.2f} ms of CPU per {unit}{100 * seconds / total:6.0f} %")
        print(f"bottleneck: {max(self.spent, key=self.spent.__getitem__)}")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(cli.EXIT_BAD_INPUT) from None
