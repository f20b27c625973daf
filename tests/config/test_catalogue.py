"""Settings that the catalogue's stages share."""

from ovarnet.config.catalogue import CatalogueData


def test_photos_are_cut_to_the_product_unless_told_otherwise():
    assert CatalogueData(root="shop").foreground
