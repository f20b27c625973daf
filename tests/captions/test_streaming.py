"""Streams of captioned images, in one process and in several."""

from concurrent.futures.process import BrokenProcessPool
from itertools import count

import pytest
from captioned_item import Item

from ovarnet.captions import streaming
from ovarnet.captions.streaming import parse_stream
from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary

WORDS = Vocabulary.of(["dog", "cat"], ["red"])


def items(number):
    return [Item(str(i), ("a red dog", "a cat")[: i % 3]) for i in range(number)]


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_each_item_comes_back_in_order_with_the_record_of_all_its_captions(batch_size):
    parsed = list(parse_stream(items(10), WORDS, "rules", batch_size=batch_size))
    assert [item for item, _ in parsed] == items(10)
    assert [record.categories for _, record in parsed[:3]] == [(), ("dog",), ("dog", "cat")]
    assert parsed[2][1].text == "a red dog\na cat"


def test_the_stream_is_read_a_batch_at_a_time():
    endless = (Item(str(i), ("a red dog",)) for i in count())
    stream = parse_stream(endless, WORDS, "rules", batch_size=2)
    assert [next(stream)[0].name for _ in range(3)] == ["0", "1", "2"]
    assert next(endless).name == "4"


@pytest.mark.slow
def test_processes_change_nothing():
    alone = list(parse_stream(items(20), WORDS, "rules"))
    assert list(parse_stream(items(20), WORDS, "rules", processes=2, batch_size=3)) == alone


def test_a_worker_that_ends_is_one_line(monkeypatch):
    class Pool:
        def __init__(self, *arguments):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def submit(self, *_):
            return self

        def result(self):
            raise BrokenProcessPool

    monkeypatch.setattr(streaming, "ProcessPoolExecutor", Pool)
    with pytest.raises(InputError, match="a worker process ended unexpectedly"):
        list(parse_stream(items(1), WORDS, "rules", processes=2))
