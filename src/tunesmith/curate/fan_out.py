"""One function over many jobs: in this process, on all cores, or on a Ray cluster; the same results in any case."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import chain, islice
from queue import SimpleQueue
from typing import Literal, TypeVar

from tunesmith.curate.helper import Helper

Work = TypeVar("Work")
Made = TypeVar("Made")
IN_FLIGHT_PER_WORKER = 2
"""Jobs handed out ahead, so that no worker waits and memory does not grow with the number of jobs."""


def fan_out(
    function: Callable[[Work], Made],
    jobs: Iterable[Work],
    *,
    engine: Literal["local", "ray"] = "local",
    workers: int = 0,
) -> Iterator[Made]:
    """What `function` makes of every job, in the order in which they are done.

    A single job runs in this process: starting others would take longer than it does.
    """
    workers = workers or os.cpu_count() or 1
    remaining = iter(jobs)
    first_two = list(islice(remaining, 2))
    jobs = chain(first_two, remaining)
    if engine == "ray":
        from tunesmith.curate.ray_engine import fan_out_on_ray

        yield from fan_out_on_ray(function, jobs)
    elif workers == 1 or len(first_two) < 2:
        yield from map(function, jobs)
    else:
        yield from _on_cores(function, jobs, workers)


def _on_cores(
    function: Callable[[Work], Made], jobs: Iterable[Work], workers: int
) -> Iterator[Made]:
    idle: SimpleQueue[Helper] = SimpleQueue()
    helpers = [Helper() for _ in range(workers)]

    def work(job: Work) -> Made:
        helper = idle.get()
        try:
            return helper.call(function, job)
        finally:
            idle.put(helper)

    try:
        for helper in helpers:
            idle.put(helper)
        with ThreadPoolExecutor(workers) as pool:
            running: set[Future[Made]] = set()
            for job in jobs:
                running.add(pool.submit(work, job))
                if len(running) >= workers * IN_FLIGHT_PER_WORKER:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            for future in running:
                yield future.result()
    finally:
        for helper in helpers:
            helper.close()
