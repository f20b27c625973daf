"""One thread that runs the model, and a bounded queue in front of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.exceptions import HTTPException

T = TypeVar("T")
BUSY, TIMED_OUT = 503, 504
RETRY_SECONDS = 2
"""What a refused client is advised to wait."""


class WorkQueue:
    """Runs jobs one after the other, so that the model needs no locks and one image's memory.

    Args:
        waiting: most jobs that wait beside the one that runs.
        seconds: longest time from the arrival of a job to its result.
    """

    def __init__(self, waiting: int, seconds: float):
        self.seconds = seconds
        self._places = threading.BoundedSemaphore(waiting + 1)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")

    async def run(self, job: Callable[..., T], *arguments: Any) -> T:
        """Run a job when its turn comes.

        Args:
            job: called with `arguments` in the thread of the model.
            arguments: of the job.

        Returns:
            What the job returned; what it raises is raised here.

        Raises:
            HTTPException: 503 where the queue is full, 504 where the result is late. A late job
                that runs keeps its place until it ends; one that still waits is dropped.
        """
        if not self._places.acquire(blocking=False):
            raise HTTPException(
                BUSY,
                f"the server is busy; try again in {RETRY_SECONDS} seconds",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        future = self._worker.submit(job, *arguments)
        future.add_done_callback(lambda _: self._places.release())
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self.seconds)
        except asyncio.TimeoutError:
            raise HTTPException(
                TIMED_OUT,
                f"no result within {self.seconds:g} seconds; try again later or send a smaller "
                "image",
            ) from None

    def close(self) -> None:
        """Drop the jobs that wait, without waiting for the one that runs."""
        self._worker.shutdown(wait=False, cancel_futures=True)
