"""The ledger of a chain: times of all attempts, the machine, and files of others."""

import pytest

import ovarnet
from ovarnet.errors import InputError
from ovarnet.io.files import read_json
from ovarnet.scenes.chain.ledger import Entry, Ledger, machine


def test_a_ledger_is_read_as_it_was_written(tmp_path):
    ledger = Ledger.open(tmp_path)
    assert ledger.entries == {}
    with ledger.timed("clip", Entry("CLIP", ["train", "x.yaml"], {"seed": 0}), again=False):
        pass
    again = Ledger.open(tmp_path)
    assert again.entries == ledger.entries
    assert again.machine == ledger.machine


def test_the_machine_names_the_version():
    found = machine()
    assert found["ovarnet"] == ovarnet.__version__
    assert int(found["cores"]) >= 1
    assert found["processor"]


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "chain.json").write_text('{"steps": []}')
    with pytest.raises(InputError, match=r"chain\.json was not written by this version"):
        Ledger.open(tmp_path)


def test_time_of_all_attempts_counts(tmp_path):
    ledger, entry = Ledger.open(tmp_path), Entry("Title", ["train"], {"seed": 0})
    ledger.entries["later"] = Entry("Later", ["x"], [])
    with pytest.raises(KeyboardInterrupt), ledger.timed("clip", entry, again=False):
        raise KeyboardInterrupt
    ledger.entries["clip"].seconds = 100.0
    with ledger.timed("clip", Entry("Title", ["train"], {"seed": 0}), again=True):
        pass
    stored = read_json(tmp_path / "chain.json")["steps"]
    assert list(stored) == ["later", "clip"]
    assert 100 <= stored["clip"]["seconds"] < 101
    assert stored["clip"]["attempts"] == 2
    with ledger.timed("clip", Entry("Title", ["train"], {"seed": 1}), again=False):
        pass
    assert ledger.entries["clip"].seconds < 1
