"""`ovarnet catalogue evaluate`: one table, one file."""

from ovarnet.cli.main import main
from ovarnet.io.files import read_json


def evaluate(shop, *words):
    return main(
        ["catalogue", "evaluate", "--root", str(shop), "--model", "scenes-clip-attr", *words]
    )


def test_rows_of_a_split(shop, tmp_path, capsys):
    words = ["--split", "train", "--output", str(tmp_path)]
    assert evaluate(shop, *words, "--baselines", "--oracle", "color,subcategory") == 0
    rows = read_json(tmp_path / "metrics.json")["rows"]
    values = {(row["setting"], row["protocol"], row["measure"]): row["value"] for row in rows}
    count = rows[0]["of"]
    assert ("text to image", f"all {count}", "R@1") in values
    # training titles are their own nearest neighbours
    assert values["text to image", f"all {count}, TF-IDF baseline", "R@10"] > 0.5
    assert values["text to image", f"all {count}, who knows color, subcategory", "R@1"] < 0.5
    assert "no pool of 101" in capsys.readouterr().out


def test_wrong_options_are_one_line(shop, tmp_path, capsys):
    assert evaluate(shop, "--oracle", "color", "--output", str(tmp_path)) == 2
    assert "give --baselines too" in capsys.readouterr().err
    assert evaluate(shop, "--baselines", "--oracle", "colour", "--output", str(tmp_path)) == 2
    assert "no label column 'colour'" in capsys.readouterr().err
