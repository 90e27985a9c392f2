"""ReviewDecision: what a person decided about one example; and the append-only log that keeps them all."""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from tunesmith.core.section import Section
from tunesmith.core.workspace import Workspace, append_text

Verdict = Literal["accept", "edit", "reject", "undo"]


class ReviewDecision(Section):
    """One decision of one reviewer; never changed, only followed by a later one."""

    example_key: str
    """`Example.key` of the example as it was shown, before any edit."""
    verdict: Verdict
    """`undo` takes back what the same reviewer decided about the same example before."""
    answer: str | None = None
    """The last answer as the reviewer wrote it; given with `edit` and only then."""
    reviewer: str = Field(min_length=1)
    """Name or address of the person."""
    decided_at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    """When, with its time zone."""
    seconds: float | None = Field(None, ge=0)
    """How long the example was looked at, where the tool knows."""
    note: str = ""
    """Why, in the reviewer's words."""
    saw_others: bool = False
    """Whether the reviewer had been shown what others decided about the example."""

    @model_validator(mode="after")
    def _edit_has_an_answer(self) -> Self:
        if (self.verdict == "edit") != bool(self.answer and self.answer.strip()):
            raise ValueError(f"verdict {self.verdict!r} with the answer {self.answer!r}")
        return self


class ReviewLog:
    """All decisions of a workspace, as JSON Lines in the order they were made."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._read: list[ReviewDecision] = []
        self._read_bytes = 0
        self._reading = threading.Lock()

    @property
    def path(self) -> Path:
        """The file; absent until the first decision."""
        return self._workspace.made / "reviews" / "decisions.jsonl"

    def append(self, decisions: Iterable[ReviewDecision]) -> int:
        """Keep these decisions, on the disk on return; those already kept are not kept twice.

        Returns:
            How many were new.
        """
        known = {_identity(decision) for decision in self.decisions()}
        new = [decision for decision in decisions if _identity(decision) not in known]
        if new:
            append_text(self.path, "".join(f"{one.model_dump_json()}\n" for one in new))
        return len(new)

    def decisions(self) -> list[ReviewDecision]:
        """Everything ever decided, undone decisions included; a line torn by a crash is no decision.

        Cheap to ask again: only what was appended since is read.
        """
        with self._reading:
            size = self.path.stat().st_size if self.path.is_file() else 0
            if size < self._read_bytes:
                self._read, self._read_bytes = [], 0
            if size > self._read_bytes:
                with self.path.open("rb") as stream:
                    stream.seek(self._read_bytes)
                    lines = stream.read()
                whole = lines[: lines.rfind(b"\n") + 1]
                self._read += _decisions_in(whole.decode("utf-8", errors="replace"))
                self._read_bytes += len(whole)
            return list(self._read)

    def by_reviewer(self) -> dict[tuple[str, str], ReviewDecision]:
        """What each reviewer thinks now, by (example key, reviewer)."""
        latest: dict[tuple[str, str], ReviewDecision] = {}
        for decision in self.decisions():
            place = (decision.example_key, decision.reviewer)
            latest.pop(place, None)
            if decision.verdict != "undo":
                latest[place] = decision
        return latest

    def blind(self) -> dict[tuple[str, str], ReviewDecision]:
        """What each reviewer thought before seeing what others do, by (example key, reviewer).

        The raw material of agreement: the first decision that was made unseeing, or, after it was taken back, the
        next such one. A decision that was made with others' before the eyes replaces none.
        """
        firsts: dict[tuple[str, str], ReviewDecision] = {}
        taken_back = set()
        for decision in self.decisions():
            place = (decision.example_key, decision.reviewer)
            if decision.verdict == "undo":
                taken_back.add(place)
            elif not decision.saw_others and (place not in firsts or place in taken_back):
                firsts[place] = decision
                taken_back.discard(place)
        return firsts

    def taken_back(self, key: str, reviewer: str) -> ReviewDecision | None:
        """What a reviewer decided about an example and took back; None once they have decided anew."""
        own = [
            one for one in self.decisions() if (one.example_key, one.reviewer) == (key, reviewer)
        ]
        if not own or own[-1].verdict != "undo":
            return None
        return next((one for one in reversed(own) if one.verdict != "undo"), None)

    def standing(self) -> Mapping[str, ReviewDecision]:
        """The decision that holds for each example key: the latest one that nobody took back."""
        return {decision.example_key: decision for decision in self.by_reviewer().values()}


def _decisions_in(lines: str) -> Iterator[ReviewDecision]:
    for line in lines.split("\n"):
        try:
            yield ReviewDecision.model_validate(json.loads(line))
        except (ValueError, ValidationError):
            continue


def _identity(decision: ReviewDecision) -> tuple[str, str, str, str | None, float]:
    when = decision.decided_at.timestamp()
    return decision.example_key, decision.reviewer, decision.verdict, decision.answer, when
