"""The C library's heap: freed arrays go back to the system at once, or are used again where memory is ample."""

import ctypes
import gc
import sys
from typing import Any

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""glibc's numbers (malloc.h) for the free bytes at the heap's end that it keeps, and for the size from which a block is
mapped by itself."""
MAPPED_BYTES = 512 * 2**10
"""Hidden states of 450 tokens in a small model. Setting it also ends glibc's habit of raising it to 32 MB, after which
freed tensors stay in the heap in pieces that fit nothing."""
AMPLE_MAPPED_BYTES, AMPLE_KEPT_BYTES = 4 * 2**20, 256 * 2**20
"""Every page of a block that is mapped by itself costs a fault. Measured on the bundled model's steps of 0.5 s: 130,000
faults and 0.13 s more a step with the numbers above than with these, which are as fast as never mapping."""
TRIM_EVERY = 8
"""Steps after which the heap gives back the pages that no tensor uses. Without it a run grows by a tenth in ten steps:
its tensors never fall into the same places twice. The pages come back in the next step, 60,000 faults at most in the
measured runs: 1 to 2 % of the time of eight steps."""


def return_freed_memory(above: int = MAPPED_BYTES) -> None:
    """Give freed arrays back at once from now on, so that a run holds what it uses and a plan of memory is true.

    Does nothing where the C library is not glibc, like all of this.

    Args:
        above: Bytes from which an array goes back; smaller ones leave room in the heap that is used again.
    """
    _set(mapped=above, kept=above)


def keep_freed_memory() -> None:
    """Use freed tensors again from now on, but for the largest: faster, at the price that a plan counts as `heap`."""
    _set(mapped=AMPLE_MAPPED_BYTES, kept=AMPLE_KEPT_BYTES)


def _set(*, mapped: int, kept: int) -> None:
    if setting := _of_glibc("mallopt"):
        setting(M_MMAP_THRESHOLD, mapped)
        setting(M_TRIM_THRESHOLD, kept)


def trim() -> None:
    """Give back what small tensors have left in the heap, after work that made and dropped many of them.

    Measured once a small model was rounded to NF4 and had its adapter: 78 MB beside 275 MB that were in use.
    """
    gc.collect()
    give_back_pages()


def give_back_pages() -> None:
    """Give back all pages of the heap that no block uses."""
    if give_back := _of_glibc("malloc_trim"):
        give_back(0)


def _of_glibc(name: str) -> Any:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
