"""Commands of the tables: run once, resumed where interrupted."""

from ovarnet.catalogue.data.prepared import PREPARED
from ovarnet.catalogue.tables.training import draw_missing, prepare_missing, train_missing
from ovarnet.training.engine.training_state import FILE


def test_a_run_is_begun_resumed_and_then_left_alone(tmp_path):
    ran, output = [], tmp_path / "run"
    config = tmp_path / "a.yaml"
    assert train_missing(config, output, ["seed=1"], ran.append) == output / "checkpoint"
    output.mkdir()
    (output / FILE).touch()
    train_missing(config, output, ["seed=1"], ran.append)
    (output / "checkpoint").mkdir()
    train_missing(config, output, ["seed=1"], ran.append)
    first = ["train", str(config), f"output={output}", "seed=1"]
    assert ran == [first, [*first, "--resume"]]


def test_a_catalogue_is_drawn_and_prepared_once(tmp_path):
    ran, root = [], tmp_path / "drawn"
    assert draw_missing(root, 400, ran.append) == root
    prepare = ["prepare", "catalogue", "--root", str(root)]
    assert ran == [
        ["generate", "catalogue", "--root", str(root), "--products", "400"],
        prepare,
    ]
    (root / PREPARED).parent.mkdir(parents=True)
    (root / PREPARED).touch()
    prepare_missing(root, ran.append)
    draw_missing(root, 400, ran.append)
    assert len(ran) == 2
