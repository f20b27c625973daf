"""`ovarnet catalogue index`: what it writes, and what it refuses."""

from ovarnet.catalogue.search.index import load_index
from ovarnet.cli.main import main


def test_every_product_has_a_vector(shop_index):
    index = load_index(shop_index)
    assert len(index) == 36
    assert index.settings.model == "scenes-clip-attr"
    assert (index.settings.title_weight, index.settings.foreground) == (0.1, True)
    assert index.graph is None


def test_a_folder_that_is_not_prepared_is_refused(tmp_path, capsys):
    words = ["--root", str(tmp_path), "--output", str(tmp_path / "index")]
    assert main(["catalogue", "index", *words]) == 2
    assert "not a prepared catalogue; run: ovarnet prepare catalogue" in capsys.readouterr().err
    assert not (tmp_path / "index").exists()
