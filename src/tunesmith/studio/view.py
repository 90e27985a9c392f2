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
    """Empty for all rows of the dataset; `golden` for those held out of it to judge models, `removed` for those that a
    rule left out."""
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
        self.entries, self._at = shelf.part(
            view.order, place=view.split, file=view.source, rule=view.rule
        )

    def waiting(self) -> Iterator[Entry]:
        """Those of the rows that are shown one after another."""
        return filter(self._is_shown, self.entries)

    def current(self, key: str) -> Entry | None:
        """The row with this key, whatever the filters say, else the first that waits; None when all is done."""
        return self._shelf.entry(key) if key in self._shelf else next(self.waiting(), None)

    def after(self, key: str) -> Entry | None:
        """The next row that waits, from the beginning again after the last."""
        at = self._at.get(key, -1)
        round_trip = (*range(at + 1, len(self.entries)), *range(max(at, 0)))
        return next(filter(self._is_shown, map(self.entries.__getitem__, round_trip)), None)

    def before(self, key: str) -> Entry | None:
        """The row before, decided or not, so that one can look back."""
        at = self._at.get(key, 0)
        return self.entries[at - 1] if at else None

    def number(self, key: str) -> int | None:
        """Which of the view's rows it is, from 1; None for a row that the filters do not let through."""
        return self._at[key] + 1 if key in self._at else None

    def _is_shown(self, entry: Entry) -> bool:
        by = self._opinions.on(entry.key)
        if self._show == "all":
            return True
        if self._show == "unreviewed":
            return not self._opinions.is_reviewed(entry)
        if self._show == "disagreed":
            return self._opinions.is_disagreed(entry.key)
        is_mine = self._reviewer in by or entry.earlier == self._reviewer
        return is_mine if self._show == "decided" else not is_mine
