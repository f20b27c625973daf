"""Jobs run one at a time; a full queue refuses at once, a late job is given up."""

import asyncio
import threading

import pytest
from starlette.exceptions import HTTPException

from ovarnet.serving.work_queue import WorkQueue


async def until(is_true):
    while not is_true():
        await asyncio.sleep(0.001)


def test_jobs_run_one_after_the_other_in_their_order():
    ran = []

    def job(number):
        ran.append((number, threading.get_ident()))
        return number

    async def run():
        queue = WorkQueue(waiting=9, seconds=10)
        return await asyncio.gather(*(queue.run(job, number) for number in range(5)))

    assert asyncio.run(run()) == [0, 1, 2, 3, 4]
    assert [number for number, _ in ran] == [0, 1, 2, 3, 4]
    assert len({thread for _, thread in ran}) == 1


def test_a_full_queue_refuses_until_a_place_is_free():
    async def run():
        queue, go, started = WorkQueue(waiting=1, seconds=10), threading.Event(), []

        def hold():
            started.append(True)
            return go.wait(10)

        jobs = [asyncio.ensure_future(queue.run(hold)) for _ in range(2)]
        await until(lambda: started)
        with pytest.raises(HTTPException) as refused:
            await queue.run(int)
        go.set()
        assert await asyncio.gather(*jobs) == [True, True]
        return refused.value, await queue.run(int)

    error, later = asyncio.run(run())
    assert (error.status_code, error.headers) == (503, {"Retry-After": "2"})
    assert error.detail == "the server is busy; try again in 2 seconds"
    assert later == 0


def test_a_late_job_keeps_its_place_while_it_runs_and_one_that_waits_is_dropped():
    async def run():
        queue, go, ran = WorkQueue(waiting=1, seconds=0.05), threading.Event(), []
        slow = asyncio.ensure_future(queue.run(go.wait, 10))
        waits = asyncio.ensure_future(queue.run(ran.append, "waited"))
        late = await asyncio.gather(slow, waits, return_exceptions=True)
        after = asyncio.ensure_future(queue.run(ran.append, "after"))  # the place of `waits`
        await asyncio.sleep(0)
        with pytest.raises(HTTPException, match="busy"):
            await queue.run(int)
        go.set()
        await after
        return late, ran

    late, ran = asyncio.run(run())
    assert [error.status_code for error in late] == [504, 504]
    assert late[0].detail.startswith("no result within 0.05 seconds")
    assert ran == ["after"]


def test_what_a_job_raises_is_raised_and_frees_its_place():
    async def run():
        queue = WorkQueue(waiting=1, seconds=10)
        for _ in range(3):
            with pytest.raises(ValueError, match="invalid literal"):
                await queue.run(int, "x")
        return await queue.run(int, "7")

    assert asyncio.run(run()) == 7


def test_close_drops_what_waits():
    async def run():
        queue, go = WorkQueue(waiting=2, seconds=10), threading.Event()
        first = asyncio.ensure_future(queue.run(go.wait, 10))
        second = asyncio.ensure_future(queue.run(int))
        await asyncio.sleep(0.01)
        queue.close()
        go.set()
        return await asyncio.gather(first, second, return_exceptions=True)

    first, second = asyncio.run(run())
    assert first is True
    assert isinstance(second, asyncio.CancelledError)
