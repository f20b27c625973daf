"""Find objects in images and score every category and attribute word you name.

Writes, for each image, NAME.jpg (the picture with boxes) and NAME.json (all scores); and detections.json, a COCO-style list over
all images with the attributes of every box.

examples:
  ovarnet detect photo.jpg --categories "mug, chair" --attributes "red, striped, wooden" --output out
  ovarnet detect photos/ --categories words.txt --attributes ""         only categories
  ovarnet detect photo.jpg --boxes boxes.json                           score the boxes you bring
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ovarnet.errors import InputError

HELP = "find objects in images, with scores for your categories and attributes"
RESULTS = "detections.json"
THRESHOLD = 0.3
BATCH_PIXELS = 64_000_000  # bounds the memory of a batch of large photos
SUMMARY_LINES = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE_OR_FOLDER", help="image files, and folders to search for images")
    parser.add_argument("--model", default="scenes",
                        help="shipped weights, a checkpoint folder, or clip-attr:ARCHITECTURE/TAG_OR_FILE")
    parser.add_argument("--proposer", help="where boxes come from: scenes, torchvision, a checkpoint folder, or proposals: a JSON file or "
                                           "a folder of ovarnet propose (default: the model's own)")
    parser.add_argument("--categories", help='words such as "mug, chair", or a file of words; "" for none (default: the model\'s words)')
    parser.add_argument("--attributes", help='words such as "red, striped", or a file of words; "" for none (default: the model\'s words)')
    parser.add_argument("--boxes", type=Path, metavar="FILE",
                        help='score these boxes, find none: JSON {"name.jpg": [[x1, y1, x2, y2], ...]}, COCO instances or COCO results')
    parser.add_argument("--output", type=Path, default=Path("out"), help="folder for pictures and data")
    parser.add_argument("--threshold", type=fraction, help=f"lowest detection score kept (default: {THRESHOLD}, with --boxes all are kept)")
    parser.add_argument("--top-attributes", type=count, default=3, metavar="N", help="attributes shown per box; the data holds all")
    parser.add_argument("--max-boxes", type=count, metavar="N", help="most boxes kept per image, best first (default: the model's limit)")
    parser.add_argument("--batch-size", type=positive, default=8, metavar="N", help="images per forward pass")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")


def fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def positive(text: str) -> int:
    if count(text) == 0:
        raise argparse.ArgumentTypeError("0 is too small")
    return count(text)


def run(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    import ovarnet
    from ovarnet.data.box_file import BoxFile

    files = find_images(args.images, args.output)
    categories, attributes = read_words_asked(args)
    box_file = BoxFile(args.boxes, files) if args.boxes else None
    model = ovarnet.load(args.model, proposer=args.proposer, device=args.device)

    def look(images: list, boxes: list | None):
        return model.detect(images, categories=categories, attributes=attributes, boxes=boxes)

    output = Output(args, files)
    with tqdm(total=len(files), unit="image", disable=None if len(files) > 1 else True, file=sys.stderr) as bar:
        for batch in batches(files, box_file, args.batch_size, output.skip):
            for (file, image, _), found in each_image(look, batch, output.skip):
                output.write(file, image, keep(found, args))
            bar.update(output.done - bar.n)
    return output.finish()


def find_images(paths: list[Path], output: Path) -> list[Path]:
    """The image files meant, each once. Results of an earlier run, in an output folder inside a searched folder, are left out."""
    from ovarnet.data.images import list_images
    from ovarnet.files import check_folder

    check_folder(output)
    files, output_path = {}, real_path(output)
    for path in paths:
        try:
            found = list_images([path])
        except InputError:
            if len(paths) == 1:
                raise
            found = [path]      # a folder without images; the other inputs go on, and reading it says what is wrong
        if os.path.isdir(path) and real_path(path) != output_path:
            found = [file for file in found if output_path not in real_path(file).parents]
        files.update({real_path(file): file for file in found})
    if not files:
        raise InputError(f"{paths[0]}: holds no images outside the output folder {output}; give another folder")
    return list(files.values())


def real_path(path: Path) -> Path:
    """As Path.resolve, which raises for a link that leads to itself."""
    return Path(os.path.realpath(path))


def read_words_asked(args) -> tuple[list[str] | None, list[str] | None]:
    """The words of --categories and --attributes; None where the model's own are wanted. Bad words fail here, before any work."""
    from ovarnet.vocabulary import Vocabulary, read_words

    categories = None if args.categories is None else read_words(args.categories, "categories")
    attributes = None if args.attributes is None else read_words(args.attributes, "attributes")
    if categories == [] and attributes == []:
        raise InputError("--categories and --attributes are both empty; name at least one word")
    Vocabulary.of(categories=categories or [], attributes=attributes or [])
    return categories, attributes


def batches(files: list[Path], box_file, batch_size: int, skip) -> Iterator[list[tuple]]:
    """Lists of (file, image (H, W, 3), boxes (N, 4) or None); images that cannot be used go to `skip(file, error)`."""
    from ovarnet.data.images import read_image
    from ovarnet.predictor import checked_boxes

    batch, pixels = [], 0
    for file in files:
        try:
            image = read_image(file)
            boxes = checked_boxes(box_file.boxes(file), *image.shape[:2], f"{box_file.path}: {file.name}") if box_file else None
        except InputError as error:
            skip(file, error)
            continue
        size = image.shape[0] * image.shape[1]
        if batch and (len(batch) == batch_size or pixels + size > BATCH_PIXELS):
            yield batch
            batch, pixels = [], 0
        batch.append((file, image, boxes))
        pixels += size
    if batch:
        yield batch


def each_image(look, batch: list[tuple], skip) -> Iterator[tuple]:
    """Pairs of batch entry and Detections, from `look(images, boxes)`. A batch that is refused is tried image by image, so that only the
    bad ones are lost."""
    import torch
    from PIL import Image

    images = []
    for file, array, _ in batch:
        images.append(Image.fromarray(array))
        images[-1].filename = str(file)  # by which a file of precomputed proposals knows the image
    boxes = None if batch[0][2] is None else [entry[2] for entry in batch]
    try:
        yield from zip(batch, look(images, boxes), strict=True)
    except torch.cuda.OutOfMemoryError:
        raise InputError(f"the GPU has too little memory for {len(batch)} images at once; give a smaller --batch-size") from None
    except InputError as error:
        if len(batch) == 1:
            skip(batch[0][0], error)
        else:
            for entry in batch:
                yield from each_image(look, [entry], skip)


def keep(found, args):
    """Best first, above the threshold, at most --max-boxes; given boxes keep their order and number unless the user says otherwise."""
    threshold = args.threshold if args.threshold is not None else 0.0 if args.boxes else THRESHOLD
    found = found[found.scores >= threshold]
    if args.boxes and args.max_boxes is None:
        return found
    return found[found.scores.argsort(descending=True, stable=True)[:args.max_boxes]]


class Output:
    """Writes the results of a run, each file whole or not at all, and remembers what could not be done."""

    def __init__(self, args: argparse.Namespace, files: list[Path]):
        from ovarnet.results import file_names, image_ids

        self.folder, self.top_attributes = args.output, args.top_attributes
        self.names = dict(zip(files, output_names(files), strict=True))
        self.ids = dict(zip(files, image_ids(files), strict=True))
        self.file_names = dict(zip(files, file_names(files), strict=True))
        self.entries, self.failures, self.written = [], [], 0
        refuse_to_replace(files, [self.folder / f"{name}.jpg" for name in self.names.values()])

    @property
    def done(self) -> int:
        return self.written + len(self.failures)

    def skip(self, file: Path, error: InputError) -> None:
        from tqdm import tqdm

        self.failures.append(str(error))
        if len(self.names) > 1:
            tqdm.write(f"skipped {file}", file=sys.stderr)

    def write(self, file: Path, image, found) -> None:
        """The picture and the data of one image, and a few lines for the reader."""
        from tqdm import tqdm

        from ovarnet.files import write_json
        from ovarnet.results import coco_results, image_record
        from ovarnet.visualization import draw, summary, write_image

        name = self.names[file]
        with writable(self.folder):
            try:
                write_json(self.folder / f"{name}.json", image_record(file, image.shape[1], image.shape[0], found))
                write_image(self.folder / f"{name}.jpg", draw(image, found, top_attributes=self.top_attributes))
            except OSError as error:
                self.skip(file, of_one_file(error, file))
                return
        self.entries += coco_results(self.file_names[file], self.ids[file], found)
        self.written += 1
        lines = summary(found, self.top_attributes)
        more = [f"  ... and {len(lines) - SUMMARY_LINES} more"] if len(lines) > SUMMARY_LINES else []
        head = f"{file}: {len(found)} {'object' if len(found) == 1 else 'objects'}"
        tqdm.write("\n".join([head, *(f"  {line}" for line in lines[:SUMMARY_LINES]), *more]), file=sys.stdout)

    def finish(self) -> int:
        """Write the list over all images; report the images that failed. Returns the exit code."""
        from ovarnet.files import write_json

        if self.written:
            with writable(self.folder):
                write_json(self.folder / RESULTS, self.entries)
            print(f"written to {self.folder}: {RESULTS}, and a .jpg and a .json for each of {self.written} image(s)")
        if not self.failures:
            return 0
        if len(self.names) == 1:
            raise InputError(self.failures[0])
        print(f"error: {len(self.failures)} of {len(self.names)} images could not be used:", *self.failures, sep="\n  ", file=sys.stderr)
        return 2


def refuse_to_replace(inputs: list[Path], pictures: list[Path]) -> None:
    """InputError where a picture that will be written is one of the images that are read."""
    originals = {real_path(file) for file in inputs}
    for picture in pictures:
        if real_path(picture) in originals:
            raise InputError(f"{picture}: the picture would replace this image; choose another --output folder")


def of_one_file(error: OSError, file: Path) -> InputError:
    """What to tell when the results of one image cannot be written; a refusal that does not come from their names is raised again."""
    if error.errno not in (errno.ENAMETOOLONG, errno.EISDIR, errno.EILSEQ, errno.EINVAL):
        raise error
    return InputError(f"{file}: its results cannot be written ({error.strerror}); give the image a shorter name, or another --output")


class writable:
    """Turns the system's refusal to write into an InputError that names the folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if isinstance(error, OSError):
            raise InputError(f"{self.folder}: cannot write results ({error.strerror}); choose another --output") from None


def output_names(files: list[Path]) -> list[str]:
    """One distinct name per file: its stem, or the stem with a number where the stem is taken (also when only the case differs)."""
    taken, names = {Path(RESULTS).stem}, []
    for file in files:
        name, number = file.stem, 2
        while name.casefold() in taken:
            name, number = f"{file.stem}_{number}", number + 1
        taken.add(name.casefold())
        names.append(name)
    return names
