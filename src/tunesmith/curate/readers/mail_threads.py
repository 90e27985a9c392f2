"""Mails put in threads, and each thread in an order in which no reply stands before what it answers."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

NO_DATE = -math.inf


class Mail(NamedTuple):
    """One message, read."""

    file: str
    line: int
    id: str
    references: tuple[str, ...]
    """Ids of the mails above it, its parent last."""
    sender: str
    subject: str
    when: float | None
    """Seconds since 1970; None where nothing in it tells."""
    body: str
    problem: str = ""
    """Why it is not to be learnt; its place in its thread counts all the same."""


def threads_of(mails: Sequence[Mail]) -> list[list[Mail]]:
    """Mails that refer to one another, each thread in its order."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for mail in mails:
        for reference in mail.references:
            parent[root(reference)] = root(mail.id)
    threads: dict[str, list[Mail]] = {}
    for mail in mails:
        threads.setdefault(root(mail.id), []).append(mail)
    return [_in_order(thread) for thread in threads.values()]


def is_lost(mail: Mail, thread: Sequence[Mail]) -> bool:
    """Whether nothing tells where in its thread a mail stands: no date, and neither parent nor reply is here."""
    if mail.when is not None or not mail.references:
        return False
    others = [one for one in thread if one is not mail]
    is_linked = any(one.id in mail.references or mail.id in one.references for one in others)
    return bool(others) and not is_linked


def _in_order(thread: list[Mail]) -> list[Mail]:
    """Replies behind their parents; beyond that, by date. A mail without a date has its parent's."""
    present = {mail.id: mail for mail in thread}
    places: dict[str, tuple[float, int]] = {}
    for mail in thread:
        # From the top down, without recursion: a thread of strangers may be longer than Python's stack.
        for above in reversed(_line_of(mail, present)):
            if above.id not in places:
                places[above.id] = _place(above, present, places)
    return sorted(thread, key=lambda mail: places[mail.id])


def _line_of(mail: Mail, present: Mapping[str, Mail]) -> list[Mail]:
    """The mail and those above it; a circle is cut where it closes."""
    line: dict[str, Mail] = {}
    found: Mail | None = mail
    while found is not None and found.id not in line:
        line[found.id] = found
        found = _parent(found, present)
    return list(line.values())


def _place(
    mail: Mail, present: Mapping[str, Mail], places: Mapping[str, tuple[float, int]]
) -> tuple[float, int]:
    own = NO_DATE if mail.when is None else mail.when
    parent = _parent(mail, present)
    above, depth = places.get(parent.id, (NO_DATE, -1)) if parent else (NO_DATE, -1)
    return max(own, above), depth + 1


def _parent(mail: Mail, present: Mapping[str, Mail]) -> Mail | None:
    names = (name for name in reversed(mail.references) if name in present and name != mail.id)
    return next((present[name] for name in names), None)
