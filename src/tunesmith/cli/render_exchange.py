"""What `tunesmith curate export` and `import` print."""

from typing import TYPE_CHECKING

from tunesmith.cli.render import facts, out, print_json, table

if TYPE_CHECKING:
    from tunesmith.curate.exchange.stage import Exported, Imported

SHOWN_REJECTED = 10
NEXT = {
    "argilla": "open it: argilla.Dataset.from_disk(path), then dataset.to_disk(path) when reviewed",
    "label-studio": "import tasks.json into a project whose labelling interface is label_config.xml",
}


def exported(made: "Exported", tool: str, *, as_json: bool) -> None:
    """What went out, and what to do with it."""
    if as_json:
        print_json({**made._asdict(), "tool": tool})
        return
    facts(
        f"{made.examples} examples in {made.folder}",
        {"left out": f"{made.decided} decided already", "next": NEXT[tool]},
    )


def imported(made: "Imported", *, as_json: bool) -> None:
    """What came back."""
    if as_json:
        print_json({**made._asdict(), "rejected": [row._asdict() for row in made.rejected]})
        return
    facts(
        f"{made.new} new decisions",
        {
            "known already": made.known,
            "not reviewed yet": made.unreviewed,
            "not understood": len(made.rejected),
        },
    )
    if made.rejected:
        rows = [(row.line, row.reason) for row in made.rejected[:SHOWN_REJECTED]]
        table(("record", "reason"), rows)
    out.print("next: tunesmith curate")
