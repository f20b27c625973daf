"""A prepared shop and its index, made once."""

import pytest
from shop_files import write_shop

from ovarnet.cli.main import main


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    root = write_shop(tmp_path_factory.mktemp("catalogue") / "shop", 36)
    assert main(["prepare", "catalogue", "--root", str(root)]) == 0
    return root


@pytest.fixture(scope="session")
def shop_index(shop):
    words = ["--root", str(shop), "--output", str(shop / "index"), "--model", "scenes-clip-attr"]
    assert main(["catalogue", "index", *words]) == 0
    return shop / "index"
