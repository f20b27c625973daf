"""Labels for tests of formats: two images, one without a box, and their files."""

from fake_model import picture

from ovarnet.formats.labels import LabelledImage, LabelledObject, LabelSet

CATEGORIES = ["mug", "teddy bear"]


def annotated(folder) -> LabelSet:
    """Annotations of a.png (100 x 60) and b.png (50 x 50); the files are written to `folder`."""
    files = {"a.png": (100, 60), "b.png": (50, 50)}
    for name, size in files.items():
        picture(folder / name, *size)
    objects = [
        LabelledObject((10, 20, 50, 60), "teddy bear", {"red & white": True, "old": False}),
        LabelledObject((0, 0, 100, 30), "mug"),
    ]
    images = [
        LabelledImage(str(folder / name), name, *size, objects if name == "a.png" else [])
        for name, size in files.items()
    ]
    return LabelSet(images, CATEGORIES)


def detected(folder) -> LabelSet:
    """The same with one detection, with scores."""
    scores = {"red": 0.9, "old": 0.2}
    found = LabelledObject((10, 20, 50, 60), "mug", {"red": True}, 0.75, scores)
    image, _ = annotated(folder).images
    return LabelSet(
        [LabelledImage(image.file, image.name, image.width, image.height, [found])], CATEGORIES
    )


def boxes_of(content) -> list[tuple]:
    """(image id, box, category, labels) of a `LabelledSplit`."""
    return [
        (row.image_id, [round(side, 2) for side in row.box], row.category, row.labels)
        for row in content.annotations
    ]
