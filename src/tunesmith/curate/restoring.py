"""Bringing a removed row back: a reviewer's decision like any other, honoured by every later run."""

from getpass import getuser

from tunesmith.artifacts.dataset import Dataset, RemovedRow
from tunesmith.artifacts.review import ReviewDecision, ReviewLog
from tunesmith.core.workspace import Workspace
from tunesmith.curate.steps.leakage import RULE as GOLDEN
from tunesmith.errors import DataError, UnknownNameError

SHORT_KEY = 12
"""Digits of a key that people see and type."""


def restore(workspace: Workspace, dataset: Dataset, key: str) -> RemovedRow:
    """The removed row that the next run will keep, beside the row that it was removed for.

    Args:
        workspace: Where the decision is kept.
        dataset: The version that the row was removed from.
        key: The row's key, or its beginning.

    Raises:
        UnknownNameError: If no removed row has this key.
        DataError: If several have, or if the row gives a golden case away.
    """
    found = {row.key: row for row in dataset.removed_rows(workspace) if row.key.startswith(key)}
    if not found:
        known = {row.key[:SHORT_KEY] for row in dataset.removed_rows(workspace)}
        raise UnknownNameError("removed row", key, known)
    if len(found) > 1:
        raise DataError(
            f"{len(found)} removed rows have keys that begin with {key!r}", fix="give more digits"
        )
    row = next(iter(found.values()))
    if row.rule == GOLDEN:
        raise DataError(
            f"{row.example.source} {row.reason}; training on it would make the measurement worthless",
            fix="take the golden case out of the golden set first",
        )
    # Both are wanted: without a word for the witness, the row that is brought back would take its place.
    ReviewLog(workspace).append(
        ReviewDecision(
            example_key=one, verdict="accept", reviewer=getuser(), note=f"brought back: {row.rule}"
        )
        for one in (row.key, row.witness_key)
        if one
    )
    return row
