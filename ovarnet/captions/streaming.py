"""Parses a stream of captioned images, in one process or in several.

In constant memory, and in the order of the stream.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Protocol, TypeVar

from ovarnet.captions.parser import CaptionParser
from ovarnet.captions.record import ParsedCaption
from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary

WAITING_PER_PROCESS = 4  # batches that are read ahead of the slowest


class Captioned(Protocol):
    """An image's captions; what else it holds is handed through."""

    @property
    def captions(self) -> Sequence[str]:
        """The captions; may be empty."""


Item = TypeVar("Item", bound=Captioned)
Waiting = deque[tuple[list[Item], "Future[list[ParsedCaption]]"]]


def parse_stream(
    items: Iterable[Item],
    vocabulary: Vocabulary,
    pipeline: str | None = None,
    *,
    processes: int = 1,
    batch_size: int = 512,
) -> Iterator[tuple[Item, ParsedCaption]]:
    """Parse the captions of each item.

    Args:
        items: Read lazily.
        vocabulary: The words to find.
        pipeline: As of `CaptionParser`, by name.
        processes: Worker processes; with 1, this process parses.
        batch_size: Items per batch.

    Yields:
        Each item, in order, with one record of all its captions.

    Raises:
        InputError: A worker process ended unexpectedly.
    """
    iterator = iter(items)
    batches = iter(lambda: list(islice(iterator, batch_size)), [])
    if processes == 1:
        parser = CaptionParser(vocabulary, pipeline)
        for batch in batches:
            yield from zip(batch, _parse(parser, batch), strict=True)
        return
    # spawn: a fork of a process with torch's threads can hang
    with ProcessPoolExecutor(
        processes, multiprocessing.get_context("spawn"), _start_worker, (vocabulary, pipeline)
    ) as pool:
        waiting: Waiting = deque()
        for batch in batches:
            waiting.append((batch, pool.submit(_work, batch)))
            if len(waiting) >= processes * WAITING_PER_PROCESS:
                yield from _finished(waiting)
        while waiting:
            yield from _finished(waiting)


def _finished(waiting: Waiting) -> Iterator[tuple[Item, ParsedCaption]]:
    batch, records = waiting.popleft()
    try:
        return zip(batch, records.result(), strict=True)
    except BrokenProcessPool:
        raise InputError(
            "a worker process ended unexpectedly, perhaps for want of memory; use fewer processes"
        ) from None


def _parse(parser: CaptionParser, batch: Sequence[Captioned]) -> list[ParsedCaption]:
    records = parser.parse_many(caption for item in batch for caption in item.captions)
    return [ParsedCaption.joined(islice(records, len(item.captions))) for item in batch]


_worker_parser: CaptionParser


def _start_worker(vocabulary: Vocabulary, pipeline: str | None) -> None:
    global _worker_parser
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    _worker_parser = CaptionParser(vocabulary, pipeline)


def _work(batch: Sequence[Captioned]) -> list[ParsedCaption]:
    return _parse(_worker_parser, batch)
