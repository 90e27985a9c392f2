"""View: which rows a reviewer wants to see, and in which order; lives in the address of the page."""

from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlencode

from tunesmith.core.section import Section
from tunesmith.studio.opinions import Opinions
from tunesmith.studio.shelf import Entry, Order, Place, Shelf

Show = Literal["open", "unreviewed", "disagreed", "decided", "all"]


class View(Section):
    """What stands behind the `?` of the page's address."""

    dataset: str = ""
    """Id of the version; empty for the newest."""
    order: Order = "suspicion"
    show: Show = "open"
    """`open`: those that the reviewer has yet to decide about. `unreviewed`: those that nobody has."""
    source: str = ""
    """A raw file."""
    rule: str = ""
    """What noticed, or removed, the rows."""
    split: Place | Literal[""] = ""
    """Empty for all rows of the dataset; `removed` for those that a rule left out of it."""
    key: str = ""
    """The row that is shown; empty for the first."""

    def query(self, **changes: str) -> str:
        """The address of the same view with changes, from the `?` on."""
        values = {**self.model_dump(exclude_defaults=True), **changes}
        return "?" + urlencode({name: value for name, value in values.items() if value})


class Queue:
    """The rows of a view for one reviewer."""

    def __init__(self, view: View, shelf: Shelf, opinions: Opinions, reviewer: str) -> None:
        """Cut the view out of the shelf; nothing changes while it is looked at."""
        self._shelf, self._opinions = shelf, opinions
        self._reviewer, self._show = reviewer, view.show
        self.entries = [entry for entry in shelf.ranked(view.order) if _fits(entry, view)]
        """All rows that the filters let through, decided or not."""
        self.waiting = [entry for entry in self.entries if self._is_shown(entry)]
        """Those of them that are shown one after another."""
        self._at = {entry.key: position for position, entry in enumerate(self.entries)}

    def current(self, key: str) -> Entry | None:
        """The row with this key, whatever the filters say, else the first that waits; None when all is done."""
        if key in self._shelf:
            return self._shelf.entry(key)
        return self.waiting[0] if self.waiting else None

    def after(self, key: str) -> Entry | None:
        """The next row that waits, from the beginning again after the last."""
        at = self._at.get(key, -1)
        round_trip = (*self.entries[at + 1 :], *self.entries[: max(at, 0)])
        return next((entry for entry in round_trip if self._is_shown(entry)), None)

    def before(self, key: str) -> Entry | None:
        """The row before, decided or not, so that one can look back."""
        at = self._at.get(key, 0)
        return self.entries[at - 1] if at else None

    def position(self, key: str) -> int:
        """How many rows of the view come before this one."""
        return self._at.get(key, 0)

    def _is_shown(self, entry: Entry) -> bool:
        by = self._opinions.on(entry.key)
        if self._show == "all":
            return True
        if self._show == "unreviewed":
            return not self._opinions.is_reviewed(entry)
        if self._show == "disagreed":
            return self._opinions.is_disagreed(entry)
        is_mine = self._reviewer in by or entry.earlier == self._reviewer
        return is_mine if self._show == "decided" else not is_mine


def _fits(entry: Entry, view: View) -> bool:
    return (
        (entry.place == view.split if view.split else entry.place != "removed")
        and (not view.source or entry.file == view.source)
        and (not view.rule or any(reason.rule == view.rule for reason in entry.reasons))
    )


def rules_of(shelf: Shelf) -> list[str]:
    """Every rule that noticed or removed a row."""
    return sorted({reason.rule for entry in shelf.ranked("reading") for reason in entry.reasons})


def sources_of(shelf: Shelf) -> list[str]:
    """Every raw file that rows come from."""
    return sorted(set(_files(shelf)))


def _files(shelf: Shelf) -> Iterator[str]:
    return (entry.file for entry in shelf.ranked("reading") if entry.file)
