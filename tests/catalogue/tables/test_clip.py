"""The table of the e-commerce CLIP: its rows and runs; baselines and retrieval on a small shop."""

import pytest
from shop_files import write_shop

from ovarnet.catalogue.tables import clip
from ovarnet.catalogue.tables.sizes import Sizes
from ovarnet.checkpoint import save_checkpoint
from ovarnet.cli.main import main
from ovarnet.vocabulary import Vocabulary

COLUMN = "title → photo, all 7: R@1"


class Stub:
    """A shop of seven test products whose numbers are known."""

    def __init__(self, root):
        self.test = range(7)

    def retrieval(self, model):
        return {COLUMN: 2.0 if model == clip.START else float(len(model))}

    def baselines(self):
        return {name: {COLUMN: 1.0} for name in (clip.CHANCE, clip.TFIDF, clip.ORACLE)}


def test_every_row_is_trained_for_every_seed_once(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(clip, "Shop", Stub)
    monkeypatch.setattr(clip, "prepare_missing", lambda root, run: root)
    sizes = Sizes(seeds=2, clip_iterations=5)
    given = (tmp_path / "shop", tmp_path / "configs", tmp_path, sizes, ran.append)
    table = clip.clip_table(*given)
    assert len(ran) == 8
    assert ran[1] == [
        "train",
        str(tmp_path / "configs/clip_photos.yaml"),
        f"output={tmp_path / 'runs/with_prototypes_0'}",
        f"data.root={tmp_path / 'shop'}",
        "seed=0",
        "optimisation.iterations=5",
        "prototypes=0.2",
        "neighbours=0",
    ]
    names = [line.split(" | ")[0].strip("| ") for line in table.splitlines()[2:]]
    assert names == ["chance", "TF-IDF", "before training", *clip.TRAINED, "oracle"]
    assert "| chance | 1.0 | – |" in table
    assert (tmp_path / "table.md").read_text() == table
    clip.clip_table(*given)
    assert len(ran) == 8


@pytest.mark.slow
def test_retrieval_and_baselines(tmp_path, photo_clip, small_photos, monkeypatch):
    shop = write_shop(tmp_path / "shop", 48)
    assert main(["prepare", "catalogue", "--root", str(shop)]) == 0
    model = save_checkpoint(
        tmp_path / "model",
        model="clip",
        settings={"clip": {"name": photo_clip.name}},
        vocabulary=Vocabulary(),
        parts={"clip": photo_clip.model.state_dict()},
    )
    monkeypatch.setattr(clip, "START", str(model))
    found = clip.Shop(shop)
    assert found.known == ["color"]
    count = len(found.test)
    at_one, at_ten = (f"title → photo, all {count}: {m}" for m in clip.MEASURES)
    result, baselines = found.retrieval(str(model)), found.baselines()
    assert result.keys() == baselines["chance"].keys()
    assert 0 <= result[at_one] <= result[at_ten] <= 100
    assert baselines["chance"][at_one] == pytest.approx(100 / count)
    assert baselines["TF-IDF"].keys() == {at_one, at_ten}
    assert baselines["oracle"][at_one] > baselines["chance"][at_one]
