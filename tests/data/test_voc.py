import pytest
from dataset_files import write_image

from ovarnet.data.labelled import labelled_vocabulary
from ovarnet.data.voc import load_voc, read_voc, voc_splits
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped
from ovarnet.structures import UNKNOWN
from ovarnet.vocabulary import Vocabulary

WORDS = Vocabulary.of(["dog", "tv"], ["red"])


def thing(name="dog", box=(1, 1, 20, 30), **more):
    corners = "".join(
        f"<{side}>{value}</{side}>"
        for side, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    fields = "".join(f"<{key}>{value}</{key}>" for key, value in more.items())
    return f"<object><name>{name}</name>{fields}<bndbox>{corners}</bndbox></object>"


def xml(*objects, name="a.jpg", size=(60, 40)):
    return (
        f"<annotation><folder>x</folder><filename>{name}</filename><size><width>{size[0]}</width>"
        f"<height>{size[1]}</height><depth>3</depth></size>{''.join(objects)}</annotation>"
    )


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def voc(tmp_path):
    """The layout of VOCdevkit: a with a dog and a difficult tv, b with nothing."""
    written(
        tmp_path / "Annotations/a.xml",
        xml(thing(), thing("tv", (11, 6, 60, 40), difficult=1), name="a.jpg"),
    )
    written(tmp_path / "Annotations/b.xml", xml(name="b.jpg"))
    for name in "ab":
        write_image(tmp_path / f"JPEGImages/{name}.jpg")
    written(tmp_path / "ImageSets/Main/train.txt", "b\na  -1\n")
    return tmp_path


def test_attributes_as_cvat_writes_them(voc):
    pairs = (("old", "true"), ("open", "false"), ("color", "red"), ("size", "7"))
    values = "".join(
        f"<attribute><name>{name}</name><value>{value}</value></attribute>" for name, value in pairs
    )
    written(voc / "Annotations/a.xml", xml(thing(attributes=values)))
    skipped = Skipped()
    content = read_voc(voc, "train", skipped)
    assert [row.labels for row in content.annotations] == [{"old": 1, "open": 0, "red": 1}]
    assert skipped.items == {"attribute without a word": ["a.xml: object 1: 'size': '7'"]}
    words = labelled_vocabulary({"train": content})
    assert words.attribute_names == ["old", "open", "red"]


def test_pixels_count_from_one_and_difficult_objects_are_marked(voc):
    skipped = Skipped()
    background, image = load_voc(voc, "train", WORDS, skipped)
    assert not skipped
    assert (image.image_id, image.height, image.width) == ("a", 40, 60)
    assert image.file == str(voc / "JPEGImages/a.jpg")
    assert image.boxes.tolist() == [[0, 0, 20, 30], [10, 5, 60, 40]]
    assert image.categories.tolist() == [0, 1]
    assert image.is_difficult.tolist() == [False, True]
    assert image.attributes.tolist() == [[UNKNOWN], [UNKNOWN]]
    assert image.instance_ids == ["a:0", "a:1"]
    assert (background.image_id, len(background)) == ("b", 0)
    assert voc_splits(voc) == ["train"]


def test_xml_files_beside_the_images(tmp_path):
    """As labelling tools write them: another name of the image, no size."""
    text = xml(thing(), name="elsewhere.png").replace("<width>60</width>", "")
    written(tmp_path / "val/c.xml", text)
    write_image(tmp_path / "val/c.png")
    (image,) = load_voc(tmp_path, "val", WORDS)
    assert image.file == str(tmp_path / "val/c.png")
    assert (image.height, image.width) == (40, 60)
    assert voc_splits(tmp_path) == ["val"]


def test_words_in_order_of_appearance(voc):
    written(voc / "ImageSets/Main/val.txt", "a\n")
    splits = {split: read_voc(voc, split, Skipped()) for split in ("train", "val")}
    assert labelled_vocabulary(splits).category_names == ["dog", "tv"]
    assert labelled_vocabulary(splits).category_seen.all()


def test_everything_left_out_is_noted_with_its_place(voc):
    objects = [
        thing(),
        thing(""),
        thing(box=("x", 1, 2, 3)),
        thing(box=(5, 5, 4, 9)),
        thing(box=(1, 1, 90, 40)),
        thing(difficult="maybe"),
        thing("cat"),
    ]
    written(voc / "Annotations/a.xml", xml(*objects))
    written(voc / "Annotations/c.xml", "<annotation>")
    written(voc / "Annotations/d.xml", '<!DOCTYPE x [<!ENTITY e "x">]><annotation/>')
    written(voc / "Annotations/e.xml", xml(thing(), name="e.jpg"))
    written(voc / "Annotations/f.xml", xml(thing(), name="b.jpg", size=(40, 60)))
    written(voc / "ImageSets/Main/train.txt", "a\nc\nd\ne\nf\ngone\n")
    skipped = Skipped()
    (image,) = load_voc(voc, "train", WORDS, skipped)
    assert image.instance_ids == ["a:0", "a:4", "a:5", "a:6"]
    assert image.boxes[1].tolist() == [0, 0, 60, 40]
    assert image.categories.tolist() == [0, 0, 0, -1]
    assert skipped.counts == {
        "object without a name": 1,
        "box is not four finite numbers": 1,
        "box has no area": 1,
        "part of the box outside the image, clipped": 1,
        "difficult is neither 0 nor 1, taken as 0": 1,
        "annotation file is not valid XML": 1,
        "annotation file with a document type": 1,
        "annotation file missing or unreadable": 1,
        "image file missing": 1,
        "image of another size than its record says": 1,
        "category not in the vocabulary": 1,
    }
    assert skipped.items["object without a name"] == ["a.xml: object 2"]


def test_what_cannot_be_used_at_all(voc):
    with pytest.raises(InputError, match=r"neither ImageSets/Main/test\.txt nor a folder test"):
        load_voc(voc, "test", WORDS)
    written(voc / "Annotations/a.xml", xml(thing(box=(0.1, 0.2, 0.5, 0.6))))
    with pytest.raises(InputError, match=r"train: all boxes lie within 0\.\.1"):
        load_voc(voc, "train", WORDS)
    written(voc / "ImageSets/Main/train.txt", "b\n")
    with pytest.raises(InputError, match="none of its annotations can be used: nothing; ovarnet"):
        load_voc(voc, "train", WORDS)
