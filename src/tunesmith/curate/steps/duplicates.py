"""Rows that say exactly what another row says, case, white space and closing punctuation aside."""

from collections.abc import Iterator

from tunesmith.curate.hashes import is_among, repeated_ones
from tunesmith.curate.removals import Removal
from tunesmith.curate.rows import Rows
from tunesmith.curate.steps.preference import ranking

RULE = "duplicate"


def find_duplicates(rows: Rows) -> Iterator[Removal]:
    """All but the best of every set of rows that say the same."""
    import numpy as np

    exact, kept = rows.columns.values("exact"), rows.kept
    positions = kept[is_among(exact[kept], repeated_ones(exact[kept]))]
    order = ranking(rows, positions, longest=False)
    _, first, group = np.unique(exact[positions][order], return_index=True, return_inverse=True)
    witnesses = np.empty_like(positions)
    witnesses[order] = positions[order][first[group]]
    for position, witness in zip(positions, witnesses, strict=True):
        if position != witness:
            source = rows.source(witness)
            reason = f"says the same as {source}"
            yield Removal(int(position), RULE, reason, 1.0, source, rows.key(witness))
