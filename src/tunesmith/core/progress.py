"""One progress interface: a rich bar in a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

LOG_EVERY_SECONDS = 10.0
"""How often a line is written where there is no terminal to draw a bar in."""


class Progress(Protocol):
    """What long work reports to."""

    def advance(self, amount: int = 1, note: str = "") -> None:
        """`amount` more units are done; `note` is shown beside the bar."""


class QuietProgress:
    """Shows nothing: for `--json` and for tests."""

    def advance(self, amount: int = 1, note: str = "") -> None:
        """Forget it."""


class LineProgress:
    """A line to standard error now and then, and one at the end."""

    def __init__(self, title: str, total: int) -> None:
        self.title, self.total, self.done = title, total, 0
        self._started = self._last = time.monotonic()

    def advance(self, amount: int = 1, note: str = "") -> None:
        """Count, and write a line if the last one is old or the work is done."""
        self.done += amount
        now = time.monotonic()
        if now - self._last >= LOG_EVERY_SECONDS or self.done >= self.total:
            self._last = now
            left = (now - self._started) / max(self.done, 1) * (self.total - self.done)
            sys.stderr.write(f"{self.title}: {self.done}/{self.total}, {left:.0f} s left {note}\n")


class _BarProgress:
    def __init__(self, bar: "object", task: int) -> None:
        self._bar, self._task = bar, task

    def advance(self, amount: int = 1, note: str = "") -> None:
        self._bar.update(self._task, advance=amount, note=note)  # type: ignore[attr-defined]  # rich is imported late


@contextmanager
def track(title: str, total: int, *, is_quiet: bool = False) -> Iterator[Progress]:
    """Report on `total` units of work: a bar with time left in a terminal, lines in a log, nothing when quiet."""
    if is_quiet:
        yield QuietProgress()
        return
    if not sys.stderr.isatty():
        yield LineProgress(title, total)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as bar:
        yield _BarProgress(bar, bar.add_task(title, total=total, note=""))
