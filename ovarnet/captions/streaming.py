"""Parsing a stream of captioned images, in this process or in several, in constant memory and in
order.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from ovarnet.captions.parser import CaptionParser
from ovarnet.captions.record import ParsedCaption
from ovarnet.data.caption_files import CaptionItem
from ovarnet.errors import InputError
from ovarnet.vocabulary import Vocabulary

Parsed = tuple[CaptionItem, ParsedCaption]
WAITING_PER_PROCESS = 4  # batches that are read ahead of the slowest


def parse_stream(
    items: Iterable[CaptionItem],
    vocabulary: Vocabulary,
    pipeline: str | None = None,
    *,
    processes: int = 1,
    batch_size: int = 512,
) -> Iterator[Parsed]:
    """Each item with one record of all its captions, in the order of the items. pipeline: as
    `CaptionParser`, by name.
    """
    batches = iter(lambda: list(islice(iterator, batch_size)), [])
    iterator = iter(items)
    if processes == 1:
        parser = CaptionParser(vocabulary, pipeline)
        for batch in batches:
            yield from zip(batch, _parse(parser, batch), strict=True)
        return
    # spawn: a fork of a process with torch's threads can hang
    with ProcessPoolExecutor(
        processes, multiprocessing.get_context("spawn"), _start_worker, (vocabulary, pipeline)
    ) as pool:
        waiting = deque()
        for batch in batches:
            waiting.append((batch, pool.submit(_work, batch)))
            if len(waiting) >= processes * WAITING_PER_PROCESS:
                yield from _finished(waiting)
        while waiting:
            yield from _finished(waiting)


def _finished(waiting: deque) -> Iterator[Parsed]:
    batch, records = waiting.popleft()
    try:
        return zip(batch, records.result(), strict=True)
    except BrokenProcessPool:
        raise InputError(
            "a worker process ended unexpectedly, perhaps for want of memory; use fewer processes"
        ) from None


def _parse(parser: CaptionParser, batch: list[CaptionItem]) -> list[ParsedCaption]:
    records = parser.parse_many(caption for item in batch for caption in item.captions)
    return [ParsedCaption.joined(islice(records, len(item.captions))) for item in batch]


_worker_parser: CaptionParser


def _start_worker(vocabulary: Vocabulary, pipeline: str | None) -> None:
    global _worker_parser
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    _worker_parser = CaptionParser(vocabulary, pipeline)


def _work(batch: list[CaptionItem]) -> list[ParsedCaption]:
    return _parse(_worker_parser, batch)
