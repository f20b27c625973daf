"""The table of matchers on a shop's photos: its runs, each a config that can be read."""

from pathlib import Path
from types import SimpleNamespace

from ovarnet.catalogue.tables import photo_matcher
from ovarnet.catalogue.tables.sizes import Sizes
from ovarnet.config import load_config

CONFIGS = Path(__file__).parents[3] / "configs" / "catalogue"
ALL = "title → photo, all 9"


def test_every_row_is_trained_and_measured_once(tmp_path, monkeypatch):
    opened, commands, measured = [], [], []

    class Evaluation:
        def __init__(self, products, cache):
            pass

        def measure(self, checkpoint, reranks):
            measured.append((checkpoint, reranks))
            return {"title → photo: R@1": 3.0}

    def open_products(root, sizes, **options):
        opened.append(options)
        names = photo_matcher.BASELINES
        return SimpleNamespace(baselines={name: {} for name in names}, everything=ALL)

    monkeypatch.setattr(photo_matcher, "QueriedProducts", open_products)
    monkeypatch.setattr(photo_matcher, "MatcherEvaluation", Evaluation)
    output, sizes = tmp_path / "photo-matcher", Sizes(seeds=1, iterations=3, training_products=20)
    for _ in range(2):
        given = (tmp_path / "shop", CONFIGS, output, sizes, commands.append)
        table = photo_matcher.photo_matcher_table(*given)
    clip = str(tmp_path / "clip" / "runs" / "trained__contrastive_0" / "checkpoint")
    assert opened == 2 * [{"start": clip, "shown": ("article_type", "color", "gender")}]
    rows = list(photo_matcher.ROWS)
    folders = [photo_matcher.folder_name(row, 0) for row in rows]
    assert measured == [(output / "runs" / name / "checkpoint", True) for name in folders]
    assert f"| {rows[0]} | 3.0 | – |" in table

    trained = [load_config(words[1], words[2:]) for words in commands if words[0] == "train"]
    stages = [config.stage for config in trained]
    assert stages == ["catalogue_clip", *2 * ["catalogue_matcher"], "catalogue_clip"]
    kaleido, fashionbert = trained[1:3]
    assert (kaleido.patches, fashionbert.patches) == ("kaleido", "grid")
    assert all(c.limit == 20 and c.optimisation.iterations == 3 for c in (kaleido, fashionbert))
    assert all(c.crops.network == clip for c in (kaleido, fashionbert))
    assert all(c.crops.cache == str(output / "features") for c in (kaleido, fashionbert))
