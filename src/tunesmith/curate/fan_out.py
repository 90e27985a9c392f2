"""One function over many jobs: in this process, on all cores, or on a Ray cluster; the same results in any case."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import chain, islice
from typing import Literal, TypeVar

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
    first_two = list(islice(iter_jobs := iter(jobs), 2))
    jobs = chain(first_two, iter_jobs)
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
    import multiprocessing

    # Not forked: the parent may hold threads of torch or of numba.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_leave_with_parent) as pool:
        running: set[Future[Made]] = set()
        for job in jobs:
            running.add(pool.submit(function, job))
            if len(running) >= workers * IN_FLIGHT_PER_WORKER:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        for future in running:
            yield future.result()


def _leave_with_parent() -> None:
    """Ends this worker when the process that started it is gone, killed or not."""
    import multiprocessing
    from multiprocessing.connection import wait as wait_for

    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait_for([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
