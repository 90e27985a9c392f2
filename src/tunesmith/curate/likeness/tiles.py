"""How work on all pairs is cut: into tiles that stay in a core's cache, a thread a core."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

ROWS, COLUMNS = 128, 4_096
"""Size of a tile: 2 MB, which stay in the cache until they are looked through."""
_turn = threading.Lock()
"""How many threads BLAS takes is set for the whole process: who sets it must be the one who sets it back."""


@contextmanager
def quiet_products() -> Iterator[None]:
    """Meanwhile matrix products stay in the thread that asks for them.

    Beside threads of ours, and on a machine that does other work, too, their own ones wait for one another: that took
    ten times the processor time of the products themselves.
    """
    with _turn, _libraries().limit(limits=1, user_api="blas"):
        yield


def in_threads(work: Callable[[int, int], None], count: int) -> None:
    """Call `work(first, last)` for all of `range(count)`, the rows of a tile at a time, on all cores."""
    if count <= ROWS:
        work(0, count)
        return
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda first: work(first, min(first + ROWS, count)), range(0, count, ROWS)))


@lru_cache(maxsize=1)
def _libraries() -> "ThreadpoolController":
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
