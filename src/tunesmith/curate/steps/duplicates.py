"""Rows that say exactly what another row says, case, white space and closing punctuation aside."""

from collections.abc import Iterator

from tunesmith.curate.rows import Removal, Rows
from tunesmith.curate.steps.preference import best_first

RULE = "duplicate"


def find_duplicates(rows: Rows) -> Iterator[Removal]:
    """All but the best of every set of rows that say the same."""
    import numpy as np

    order = best_first(rows, rows.kept, longest=False)
    _, first, group = np.unique(rows.exact[order], return_index=True, return_inverse=True)
    best = order[first[group]]
    for position, witness in sorted(zip(order.tolist(), best.tolist(), strict=True)):
        if position != witness:
            source = rows.source(witness)
            yield Removal(
                position, RULE, f"says the same as {source}", 1.0, source, rows.key(witness)
            )
