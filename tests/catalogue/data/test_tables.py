"""Tables of a shop: columns by their usual or stated names, bad rows noted, bad files refused."""

import pytest

from ovarnet.catalogue.data.tables import Columns, read_table
from ovarnet.errors import InputError
from ovarnet.io.skipped import Skipped

SHOP = "id,image,title,color,price\n1,a.jpg,Red mug,red,3\n2,b.jpg,Blue mug,blue,4\n"


def read(path, text, columns=None, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    skipped = Skipped()
    return read_table(path, path.parent, columns or Columns(), skipped), skipped


def test_usual_names_need_no_map_and_numbers_are_no_label(tmp_path):
    rows = SHOP + "3,c.jpg,Red cup,red,5\n4,d.jpg,Blue cup,blue,6\n"
    products, skipped = read(tmp_path / "p.csv", rows)
    assert not skipped
    assert [(item.id, item.title, item.labels) for item in products[:2]] == [
        ("1", "Red mug", {"color": "red"}),
        ("2", "Blue mug", {"color": "blue"}),
    ]
    assert products[0].images == (str(tmp_path / "a.jpg"),)


@pytest.mark.parametrize("delimiter", ";\t|")
def test_any_delimiter_and_a_byte_order_mark(tmp_path, delimiter):
    text = "\ufeff" + SHOP.replace(",", delimiter)
    products, _ = read(tmp_path / "p.csv", text)
    assert [item.title for item in products] == ["Red mug", "Blue mug"]


def test_columns_can_be_mapped_and_labels_named(tmp_path):
    columns = Columns({"title": "name", "subcategory": "title"}, ["price"])
    text = "image,title,name,price\na.jpg,mug,Red mug,3\n"
    (product,), _ = read(tmp_path / "p.csv", text, columns)
    assert (product.title, product.subcategory, product.labels) == (
        "Red mug",
        "mug",
        {"price": "3"},
    )
    assert product.id == "a.jpg"


def test_rows_of_one_id_are_views(tmp_path):
    text = "id,image,title\n1,a.jpg,Red mug\n1,b.jpg,other\n1,a.jpg,Red mug\n"
    (product,), skipped = read(tmp_path / "p.csv", text)
    assert product.images == (str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg"))
    assert product.title == "Red mug"
    assert skipped.items == {"row repeats a photo of its product": ["line 4: 1"]}


def test_json_lines(tmp_path):
    text = '{"image": "a.jpg", "title": "Red mug", "id": 7}\n\n{"image": "b.jpg", "title": null}\n'
    (product,), skipped = read(tmp_path / "p.jsonl", text)
    assert (product.id, product.title) == ("7", "Red mug")
    assert skipped.items == {"row without title": ["line 3"]}


def test_rows_without_photo_or_title_are_left_out_with_their_line(tmp_path):
    text = SHOP + "3,,Green mug,green,1\n4,d.jpg, ,green,1\n"
    products, skipped = read(tmp_path / "p.csv", text)
    assert len(products) == 2
    assert skipped.items == {"row without image": ["line 4"], "row without title": ["line 5"]}


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        (SHOP.replace("title", "name"), None, "no column title or text; it has id, image, name"),
        (SHOP, Columns({"title": "tite"}), "no column 'tite' .did you mean 'title'"),
        (SHOP, Columns({"titel": "title"}), "unknown column role 'titel' .did you mean 'title'"),
        (SHOP, Columns(labels=["colour"]), "no label column 'colour' .did you mean 'color'"),
        (SHOP + "3,c.jpg\n", None, r"line 4.: 2 cells and 5 columns"),
        (SHOP + '3,"c.jpg,x,y,1\n', None, r"close every quote"),
        ("id,image,title\n", None, "no row under the header"),
        ("id,id,title\n", None, "names a column twice"),
        ("image,title,split\na.jpg,a,tets\n", None, "split is 'tets' .did you mean 'test'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, columns, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path / "p.csv", text, columns)


def test_another_encoding_is_named(tmp_path):
    with pytest.raises(InputError, match=r"line 2\): not UTF-8; it may be cp1252"):
        read(tmp_path / "p.csv", SHOP.replace("Red", "Café"), encoding="latin-1")
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "none.csv", tmp_path, Columns(), Skipped())
