"""The C library is asked once, with the two settings of glibc."""

import ctypes
from types import SimpleNamespace

import pytest

from ovarnet import memory


@pytest.fixture
def calls(monkeypatch):
    made = []
    libc = SimpleNamespace(mallopt=lambda *setting: made.append(setting))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: libc)
    return made


def test_freed_memory_is_neither_mapped_nor_trimmed(calls, monkeypatch):
    monkeypatch.setattr(memory.sys, "platform", "linux")
    memory.keep_freed_memory()
    assert calls == [(-4, 0), (-1, -1)]  # M_MMAP_MAX, M_TRIM_THRESHOLD of malloc.h


def test_nothing_happens_where_there_is_no_glibc(calls, monkeypatch):
    monkeypatch.setattr(memory.sys, "platform", "darwin")
    memory.keep_freed_memory()
    monkeypatch.setattr(memory.sys, "platform", "linux")
    for missing in (OSError("no such library"), AttributeError("mallopt")):

        def load(name, missing=missing):
            raise missing

        monkeypatch.setattr(ctypes, "CDLL", load)
        memory.keep_freed_memory()
    assert calls == []
