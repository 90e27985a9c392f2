"""A view of long work with measurements: drawn anew in a terminal, lines now and then in a log."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from tunesmith.core.progress import LOG_EVERY_SECONDS
from tunesmith.core.sparkline import sparkline

VALUE_WIDTH = 12
"""Characters kept for a value, so that what follows it does not jump about."""
WIDEST_SPARKLINE = 48
REDRAWS_PER_SECOND = 4


class Reading(NamedTuple):
    """One measurement as it is shown."""

    value: str
    series: tuple[float, ...] = ()
    """Its course so far, drawn as a sparkline."""
    note: str = ""
    """Shown beside it in a terminal, left out of a log."""


class LiveView(Protocol):
    """What long work shows its measurements on."""

    def show(self, done: int, readings: Mapping[str, Reading]) -> None:
        """`done` units of the total are finished, and this was measured last."""

    def say(self, text: str) -> None:
        """Something the user should know now; it stays above the view."""


class QuietView:
    """Shows nothing: for `--json` and for tests."""

    def show(self, done: int, readings: Mapping[str, Reading]) -> None:
        """Forget it."""

    def say(self, text: str) -> None:
        """Forget it."""


class LineView:
    """A line to standard error now and then, and one at the end."""

    def __init__(self, title: str, total: int) -> None:
        self._title, self._clock = title, _Clock(total)
        self._last = time.monotonic()

    def show(self, done: int, readings: Mapping[str, Reading]) -> None:
        """Write a line if the last one is old or the work is done."""
        was_finished = self._clock.is_finished
        self._clock.reach(done)
        now = time.monotonic()
        is_end = self._clock.is_finished and not was_finished
        if now - self._last < LOG_EVERY_SECONDS and not is_end:
            return
        self._last = now
        parts = [f"{name} {reading.value}" for name, reading in readings.items()]
        text = ", ".join([f"{_clock(self._clock.left_seconds)} left", *parts])
        self.say(f"{self._title}: {done}/{self._clock.total}, {text}")

    def say(self, text: str) -> None:
        """Write it at once."""
        sys.stderr.write(f"{text}\n")


class TerminalView:
    """A block of lines at the bottom of a terminal, drawn anew several times a second."""

    def __init__(self, title: str, total: int, console: Any) -> None:
        self._title, self._clock, self._console = title, _Clock(total), console
        self._readings: Mapping[str, Reading] = {}

    def show(self, done: int, readings: Mapping[str, Reading]) -> None:
        """Remember what is drawn next."""
        self._clock.reach(done)
        self._readings = readings

    def say(self, text: str) -> None:
        """Print above the block."""
        self._console.print(text, style="yellow", markup=False, highlight=False)

    def __rich__(self) -> Any:
        """The block as rich draws it: bar and clock, then a line for each reading."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        clock = self._clock
        bar = Table.grid(padding=(0, 2, 0, 0))
        bar.add_row(
            f"[bold]{self._title}[/bold]",
            ProgressBar(
                clock.total,
                clock.done,
                width=max(10, min(40, self._console.width - 50)),
                complete_style="cyan",
                finished_style="green",
            ),
            f"{clock.done}/{clock.total}",
            f"[dim]{_clock(clock.gone_seconds)} gone[/dim]",
            f"[cyan]{_clock(clock.left_seconds)} left[/cyan]",
        )
        readings = Table.grid(padding=(0, 2, 0, 0))
        room = min(WIDEST_SPARKLINE, self._console.width // 3)
        for name, reading in self._readings.items():
            drawn = sparkline(reading.series, width=room)
            readings.add_row(
                f"[dim]{name}[/dim]",
                f"[bold]{reading.value:<{VALUE_WIDTH}}[/bold]",
                f"[green]{drawn}[/green]{'  ' if drawn else ''}[dim]{reading.note}[/dim]",
            )
        return Group(bar, readings)


class _Clock:
    """Time gone and left; units done before the first report do not count for the speed."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0
        self._first: int | None = None
        self._started = time.monotonic()
        self._reached = self._started

    def reach(self, done: int) -> None:
        if self._first is None:
            self._first = done
        self.done, self._reached = done, time.monotonic()

    @property
    def is_finished(self) -> bool:
        return self.done >= self.total

    @property
    def gone_seconds(self) -> float:
        return (self._reached if self.is_finished else time.monotonic()) - self._started

    @property
    def left_seconds(self) -> float | None:
        counted = self.done - (self._first or 0)
        if self.is_finished:
            return 0.0
        if not counted:
            return None
        rate = (self._reached - self._started) / counted
        return max(0.0, rate * (self.total - self.done) - (time.monotonic() - self._reached))


@contextmanager
def live(title: str, total: int, *, is_quiet: bool = False) -> Iterator[LiveView]:
    """A view of `total` units of work: drawn in a terminal, lines in a log, nothing when quiet."""
    if is_quiet:
        yield QuietView()
        return
    if not sys.stderr.isatty():
        yield LineView(title, total)
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    view = TerminalView(title, total, console)
    with Live(view, console=console, refresh_per_second=REDRAWS_PER_SECOND):
        yield view


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
