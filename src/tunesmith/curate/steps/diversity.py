"""All but the most diverse rows, where the recipe asks for fewer than there are."""

from collections.abc import Iterator

from tunesmith.curate.coverage.selection import facility_location
from tunesmith.curate.coverage.survey import question
from tunesmith.curate.coverage.vectors import place
from tunesmith.curate.removals import Removal
from tunesmith.curate.rows import Rows

RULE = "not_selected"


def find_redundant(rows: Rows, count: int) -> Iterator[Removal]:
    """Kept rows beyond the `count` that stand best for all of them; the witness is the chosen row nearest by."""
    kept = rows.kept
    if len(kept) <= count:
        return
    points = place([question(row.prompt) for row in rows.examples(kept)]).points
    chosen = facility_location(points, count).order
    is_chosen = set(chosen)
    for index in range(len(kept)):
        if index in is_chosen:
            continue
        likeness = points[chosen] @ points[index]
        witness = int(kept[chosen[int(likeness.argmax())]])
        yield Removal(
            position=int(kept[index]),
            rule=RULE,
            reason=f"{rows.source(witness)} stands for it among the {count} most diverse",
            score=float(likeness.max()),
            witness=rows.source(witness),
            witness_key=rows.key(witness),
        )
