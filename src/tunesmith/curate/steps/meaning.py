"""Rows that mean what another row means, in other words."""

from collections.abc import Iterator

from tunesmith.core.progress import track
from tunesmith.core.similarity import NearDuplicates
from tunesmith.curate.likeness.answers import compare_rows
from tunesmith.curate.likeness.repeated import repeated
from tunesmith.curate.prompt_keys import answer_to, said
from tunesmith.curate.removals import Removal
from tunesmith.curate.rows import Rows
from tunesmith.curate.steps.preference import ranking
from tunesmith.curate.steps.repetition import repetitions

RULE = "semantic_duplicate"
REASON = "means the same as {source} (cosine {score:.2f})"


def find_semantic_duplicates(
    rows: Rows, threshold: float, *, numbers_matter: bool = True, is_quiet: bool = True
) -> Iterator[Removal]:
    """All rows to leave out so that no two of like meaning are left; verdicts aside.

    Where one answer has a negation that the other has not, two rows mean different things, however alike they are.

    Args:
        rows: All rows.
        threshold: Cosine similarity of sentence vectors from which two rows mean the same.
        numbers_matter: Rows with different numbers do not.
        is_quiet: Show no progress.

    Raises:
        MissingDependencyError: If the model's package is not installed.
    """
    import numpy as np

    from tunesmith.models.sentences import encode

    positions = rows.kept_of("")
    numbers = rows.numbers("said")[positions] * numbers_matter
    order = ranking(rows, positions, longest=True)
    # Rows with the same numbers stand together, the best first: only among these are there repetitions.
    order = order[np.argsort(numbers[order], kind="stable")]
    texts = [said(example) for example in rows.examples(positions)]
    with track("curate: meaning", len(texts), is_quiet=is_quiet) as progress:
        vectors = encode([texts[place] for place in order], on_done=progress.advance)
    borders = np.flatnonzero(np.diff(numbers[order])) + 1
    for group, places in zip(np.split(vectors, borders), np.split(order, borders), strict=True):
        found = repeated(group, threshold)
        pairs = np.stack([places[found.positions], places[found.witnesses]], axis=1)
        answers = compare_rows(rows, positions[pairs], answer_to)
        agree = ~answers.is_turned(numbers_matter=False)
        gone, witness = pairs[agree].T
        named = NearDuplicates(gone, witness, found.similarities[agree])
        yield from repetitions(rows, positions, named, rule=RULE, reason=REASON)
