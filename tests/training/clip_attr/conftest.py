"""A trained step I model and the pseudo-labels it wrote, shared by the tests of step II."""

import pytest
from accelerate import Accelerator
from clip_attr_runs import FixedProposer, step_one_settings

import ovarnet
from ovarnet.data.captions import load_captions
from ovarnet.proposals.store import read_proposals, write_proposals
from ovarnet.training.clip_attr.pseudo_labels import write_pseudo_labels
from ovarnet.training.clip_attr.step_one import train_clip_attr


@pytest.fixture(scope="session")
def step_one(tiny_world, start_files, tmp_path_factory):
    return train_clip_attr(
        step_one_settings(
            tiny_world, start_files, tmp_path_factory.mktemp("one"), optimisation={"iterations": 1}
        ),
        Accelerator(cpu=True),
    )


@pytest.fixture(scope="session")
def pseudo_labels(tiny_world, step_one, tmp_path_factory):
    folder = tmp_path_factory.mktemp("offline")
    images = load_captions(tiny_world.captions, tiny_world.images)
    assert (
        write_proposals(
            FixedProposer(),
            [image.file for image in images],
            folder / "proposals",
            shard=3,
            limit=2,
        )
        == 8
    )
    write_pseudo_labels(
        ovarnet.load(step_one, device="cpu"),
        images,
        read_proposals(folder / "proposals"),
        folder / "labels",
        shard=3,
    )
    return folder
