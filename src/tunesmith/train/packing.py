"""A micro-batch as one row of tokens: no padding, and a beginning that several examples share computed once.

Chat datasets open every example with the same system turn, often with a whole schema in it. A causal model gives
equal tokens after equal tokens equal keys and values, so the examples of a group can all attend to one copy; the
gradient that each of them sends back through it adds up. Loss and gradients are those of plain rows.

Source: the idea is known from serving (Juravsky et al. 2024, Hydragen: shared prefixes in attention); in training
it is exact as well, because positions and everything before them are the same in every row.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import torch

from tunesmith.models.template import Encoded

WORTH_SHARING = 8
"""Tokens; a shorter common beginning costs more in extra attention calls than it saves."""

ROUND_TO = 16
"""Tokens of a packed row are rounded up to a multiple of this, and rows in attention to half of it. Kernel libraries
prepare a kernel for each new shape, some 0.6 ms each, and keep a thousand: few shapes must come again and again."""


class Group(NamedTuple):
    """Rows behind one shared beginning, as they lie in the packed row."""

    start: int
    """Where the shared beginning starts."""
    shared: int
    """Its length in tokens; 0 if the rows share nothing."""
    lengths: tuple[int, ...]
    """Length of each row without the beginning; the rows follow it, one after the other."""

    @property
    def end(self) -> int:
        """Behind the last row."""
        return self.start + self.shared + sum(self.lengths)

    @property
    def longest(self) -> int:
        """Tokens of the longest row, the shared beginning aside, rounded up."""
        return _round_up(max(self.lengths), ROUND_TO // 2)


class Packed:
    """Examples in one row of T tokens, and where everything is in it."""

    def __init__(self, examples: Sequence[Encoded], device: torch.device | str = "cpu") -> None:
        self.groups: list[Group] = []
        self.rows: list[Encoded] = []
        """The examples in the order in which what they are to predict comes."""
        ids: list[int] = []
        positions: list[int] = []
        sources: list[int] = []
        targets: list[int] = []
        for shared, rows in alike(examples):
            self.rows += rows
            start = len(ids)
            ids += rows[0].ids[:shared]
            positions += range(shared)
            for row in rows:
                offset = len(ids) - shared
                for place in range(shared, len(row.ids)):
                    if row.is_trained[place] and place:
                        # What predicts a row's first own token is the end of the shared beginning.
                        sources.append(
                            start + shared - 1 if place == shared else offset + place - 1
                        )
                        targets.append(row.ids[place])
                ids += row.ids[shared:]
                positions += range(shared, len(row.ids))
            lengths = tuple(len(row.ids) - shared for row in rows)
            self.groups.append(Group(start, shared, lengths))
        self.unused = _round_up(len(ids), ROUND_TO) - len(ids)
        """Tokens behind all groups that nothing sees and that predict nothing."""
        ids += [ids[-1]] * self.unused
        positions += [0] * self.unused
        self.ids, self.positions, self.sources, self.targets = (
            torch.tensor(values, device=device) for values in (ids, positions, sources, targets)
        )

    @cached_property
    def no_mask(self) -> torch.Tensor:
        """A mask of no elements: everything about who sees whom is in `groups`."""
        return torch.empty((1, 1, 0, 0), device=self.ids.device)

    @cached_property
    def slots(self) -> list[torch.Tensor]:
        """For each group, the tokens of its rows padded on the right to equal length: shape (rows x longest)."""
        made = []
        for group in self.groups:
            starts = [
                group.start + group.shared + sum(group.lengths[:n])
                for n in range(len(group.lengths))
            ]
            offsets = torch.arange(group.longest)
            # A slot behind a row's end repeats its last token: causal attention never looks there.
            ends = torch.tensor(group.lengths)[:, None] - 1
            slots = torch.tensor(starts)[:, None] + torch.minimum(offsets, ends)
            made.append(slots.flatten().to(self.ids.device))
        return made

    @cached_property
    def unpadded(self) -> list[torch.Tensor]:
        """For each group, which of those slots hold the rows' tokens, in their packed order."""
        return [
            torch.cat(
                [n * group.longest + torch.arange(length) for n, length in enumerate(group.lengths)]
            ).to(self.ids.device)
            for group in self.groups
        ]


def alike(examples: Sequence[Encoded]) -> list[tuple[int, list[Encoded]]]:
    """The examples in groups with the length of what each group shares; nothing trained is ever shared.

    Neighbours in sorted order share most. A row joins while that shares more tokens than it gives up. Rows that
    share too little with any other make one group that shares nothing.
    """
    found: list[tuple[int, list[Encoded]]] = []
    for row in sorted(examples, key=lambda example: example.ids):
        own = _shareable(row)
        if found:
            shared, rows = found[-1]
            common = _common(rows[0].ids, row.ids, min(shared, own))
            if common >= WORTH_SHARING and common * len(rows) >= shared * (len(rows) - 1):
                found[-1] = (common, [*rows, row])
                continue
        found.append((own, [row]))
    groups = [(shared, rows) for shared, rows in found if len(rows) > 1]
    if alone := [rows[0] for _, rows in found if len(rows) == 1]:
        groups.append((0, alone))
    return groups


def _round_up(length: int, step: int) -> int:
    return -(-length // step) * step


def _shareable(row: Encoded) -> int:
    # A trained token has a loss in every row, so it stays in its own row; and every row keeps a token.
    first_trained = next((n for n, flag in enumerate(row.is_trained) if flag), len(row.ids))
    return min(first_trained, len(row.ids) - 1)


def _common(left: Sequence[int], right: Sequence[int], most: int) -> int:
    for place in range(most):
        if left[place] != right[place]:
            return place
    return most
