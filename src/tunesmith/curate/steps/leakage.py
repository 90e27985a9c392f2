"""Rows that give a golden case away: they ask its question, or come from its thread."""

from collections.abc import Iterator, Mapping

from tunesmith.curate.rows import Removal, Rows

RULE = "golden"


def find_leaks(rows: Rows, secrets: Mapping[int, str]) -> Iterator[Removal]:
    """Kept rows that ask, anywhere in their conversation, what a golden case asks, or belong to its group.

    Args:
        rows: All rows.
        secrets: What each golden case's question and groups hash to, and where that case lies.
    """
    import numpy as np

    wanted = np.fromiter(secrets, dtype=np.uint64, count=len(secrets))
    reasons = {
        "asked": "asks what the golden case {} asks",
        "links": "belongs with the golden case {}",
    }
    for column, reason in reasons.items():
        hashes = rows.lists(column)
        owners = hashes.owners()[np.isin(hashes.values, wanted)]
        for position in np.unique(owners).tolist():
            witness = next(secrets[key] for key in hashes.of(position).tolist() if key in secrets)
            yield Removal(position, RULE, reason.format(witness), 1.0, witness)
