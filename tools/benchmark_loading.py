"""Time and peak memory of reading annotations, and images per second of reading training samples.

    python tools/benchmark_loading.py vaw                             a made-up VAW training file of 260,895 instances with polygons
    python tools/benchmark_loading.py coco                            a made-up COCO file of 118,287 images, 860,001 boxes with polygons
    python tools/benchmark_loading.py images --photos FOLDER          real photos: share of opening, decoding, cropping

Peak memory is that of the whole process, the imports (about 0.4 GB with torch) included.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from pathlib import Path

from ovarnet.data.coco import load_coco
from ovarnet.data.images import list_images, read_image, read_image_size
from ovarnet.data.vaw import load_vaw
from ovarnet.vocabulary import Vocabulary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("vaw", "coco", "images"))
    parser.add_argument("--share", type=float, default=1.0, help="of the full number of records")
    parser.add_argument("--photos", type=Path, help="folder of photos")
    args = parser.parse_args()
    if args.what == "images":
        measure_images(args.photos)
        return
    with tempfile.TemporaryDirectory() as folder:
        {"vaw": measure_vaw, "coco": measure_coco}[args.what](Path(folder) / "annotations.json", args.share)


def measure_vaw(path: Path, share: float) -> None:
    instances, images, words = int(260_895 * share), int(72_274 * share), [f"attribute {n}" for n in range(620)]
    vocabulary, draw = Vocabulary.of([], words), random.Random(0)
    with path.open("w") as file:
        for number in range(instances):
            record = {"image_id": str(number % images), "instance_id": str(10_000_000 + number), "instance_bbox": [1.0, 2.0, 30.5, 40.5],
                      "instance_polygon": polygon(draw, nested=True), "object_name": f"object {number % 2260}",
                      "positive_attributes": draw.sample(words, 2), "negative_attributes": draw.sample(words, 2)}
            file.write(("[" if number == 0 else ",\n") + json.dumps(record))
        file.write("]")
    sizes = {str(number): (480, 640) for number in range(images)}
    report(path, instances, lambda: load_vaw(path, None, vocabulary, sizes))


def measure_coco(path: Path, share: float) -> None:
    images, boxes, draw = int(118_287 * share), int(860_001 * share), random.Random(0)
    categories = [{"id": n, "name": f"thing {n}", "supercategory": "thing"} for n in range(80)]
    with path.open("w") as file:
        file.write('{"categories": ' + json.dumps(categories) + ', "images": [')
        for number in range(images):
            record = {"id": number, "file_name": f"{number:012d}.jpg", "height": 480, "width": 640, "license": 1}
            file.write((",\n" if number else "") + json.dumps(record))
        file.write('], "annotations": [')
        for number in range(boxes):
            record = {"id": number, "image_id": number % images, "category_id": number % 80, "bbox": [1.0, 2.0, 30.5, 40.5],
                      "area": 1235.25, "iscrowd": 0, "segmentation": polygon(draw, nested=False)}
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
    print(f"{path.stat().st_size / 1e6:,.0f} MB, {records:,} records -> {len(images):,} images with {sum(map(len, images)):,} boxes: "
          f"{seconds:.1f} s ({cpu:.1f} s of CPU), peak memory {peak():.2f} GB ({before:.2f} GB before)")


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def measure_images(folder: Path | None) -> None:
    """Seconds of CPU per photo of each step that a training sample of CLIP-Attr goes through; the largest is the bottleneck."""
    import torch

    from ovarnet.modeling.crops import crop_boxes

    if folder is None:
        raise SystemExit("error: images needs --photos, a folder of photos")
    files, spent = list_images([folder]), {"header": 0.0, "decode": 0.0, "to tensor": 0.0, "10 crops of 224": 0.0}
    for file in files:
        _, spent["header"] = timed(lambda file=file: read_image_size(file), spent["header"])
        array, spent["decode"] = timed(lambda file=file: read_image(file), spent["decode"])
        pixels, spent["to tensor"] = timed(lambda: torch.from_numpy(array).permute(2, 0, 1).contiguous() / 255, spent["to tensor"])  # noqa: B023
        height, width = pixels.shape[1:]
        boxes = torch.tensor([[0.0, 0.0, width * (n + 1) / 10, height * (n + 1) / 10] for n in range(10)])
        _, spent["10 crops of 224"] = timed(lambda: crop_boxes(pixels, boxes, 224, (0.5,) * 3, (0.5,) * 3), spent["10 crops of 224"])  # noqa: B023
    total = sum(spent.values())
    for step, seconds in spent.items():
        print(f"{step:16}{1000 * seconds / len(files):8.2f} ms per photo{100 * seconds / total:6.0f} %")
    print(f"{len(files)} photos, one thread: {len(files) / total:.1f} photos per second of CPU; bottleneck: {max(spent, key=spent.get)}")


def timed(step, spent: float) -> tuple:
    started = time.process_time()
    value = step()
    return value, spent + time.process_time() - started


if __name__ == "__main__":
    main()
