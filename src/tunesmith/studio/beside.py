"""Two rows beside one another: which turns answer to each other, and what differs in them."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from tunesmith.core.conversation import Example
from tunesmith.studio.difference import Piece, Sides, compare

Place = tuple[int, int, str]
"""Where a turn stands: begin, conversation or end; how far from the last answer; its role."""


class Turn(NamedTuple):
    """A turn of two rows, side by side."""

    role: str
    sides: Sides
    only: Literal["", "this row", "the other"] = ""
    """Which row alone has it; empty where both do."""

    @property
    def is_same(self) -> bool:
        """Whether both rows have it and say the same."""
        return not self.only and all(piece.is_shared for side in self.sides for piece in side)


def beside(one: Example, other: Example) -> list[Turn]:
    """Every turn of both rows, in order; the last answers always stand together.

    System turns are compared with each other alone. The others are aligned from the end, for one conversation may
    begin earlier than the other.
    """
    ones, others = dict(_placed(one)), dict(_placed(other))
    return [
        _turn(place[-1], ones.get(place), others.get(place))
        for place in sorted(ones.keys() | others.keys())
    ]


def _placed(example: Example) -> Iterator[tuple[Place, str]]:
    last = len(example.messages) - 1
    for at, (role, text) in enumerate(example.texts):
        if role == "system":
            yield (0, 0, role), text
        elif at <= last:
            yield (1, at - last, role), text
        else:
            yield (2, 0, role), text


def _turn(role: str, left: str | None, right: str | None) -> Turn:
    if left is not None and right is not None:
        return Turn(role, compare(left, right))
    if right is None:
        return Turn(role, Sides([Piece(left or "", is_shared=False)], []), "this row")
    return Turn(role, Sides([], [Piece(right, is_shared=False)]), "the other")
