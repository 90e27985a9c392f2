"""What the words of `tunesmith curate` print."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tunesmith.cli.render import facts, out, print_json, table, unused_mappings

if TYPE_CHECKING:
    from tunesmith.artifacts.contradictions import Contradictions
    from tunesmith.artifacts.dataset import RemovedRow
    from tunesmith.core.conversation import Example
    from tunesmith.core.workspace import Workspace
    from tunesmith.curate.coverage.card import Card
    from tunesmith.curate.difference import Difference
    from tunesmith.curate.file_masking import FileMasking, MaskedRow
    from tunesmith.curate.noise import Doubtful
    from tunesmith.curate.preview import Converted, Preview

COLOURS: Mapping[str, str] = {"system": "magenta", "user": "cyan", "assistant": "green"}
SHOWN_CHARACTERS = 600
"""How much of a turn is shown."""
SHOWN_REJECTED = 10
"""How many rejected rows are shown one by one."""
SHOWN_ROW = 110
"""How much of a row is shown on one line."""
SHOWN_CHANGES = 5
"""Examples of each kind of change that are shown."""


def preview(found: "Preview", *, as_json: bool) -> None:
    """Converted rows with their roles in colour, then what would be set aside."""
    if as_json:
        print_json(found.as_json())
        return
    for row in found.converted:
        _converted(row)
    shown = f"{len(found.converted)} of the first {found.read} rows shown"
    masked = "; personal data is replaced (curate.privacy.mode: mask)" if found.is_masked else ""
    out.print(f"[dim]{shown}{masked}; nothing was written[/dim]")
    unused_mappings(found.unused_mappings)
    for note in found.notes:
        out.print(f"[yellow]{escape(note)}[/yellow]")
    if not found.rejected:
        out.print("[green]none of them would be set aside[/green]")
        return
    out.print(f"\n[bold yellow]{len(found.rejected)} would be set aside[/bold yellow]")
    table(("rows", "reason"), [(count, reason) for reason, count in found.reasons()])
    out.print()
    for aside in found.rejected[:SHOWN_REJECTED]:
        out.print(f"{escape(aside.file)}:{aside.line}  [yellow]{escape(aside.reason)}[/yellow]")
        out.print(Text(f"  {' '.join(aside.row.split())[:SHOWN_ROW]}", "dim"))
    if len(found.rejected) > SHOWN_REJECTED:
        out.print(f"[dim]… and {len(found.rejected) - SHOWN_REJECTED} more: --json shows all[/dim]")


def masked(rows: "Iterable[MaskedRow]", masking: "FileMasking", *, as_json: bool) -> None:
    """Masked rows, a line of JSON each as they come; for people, what was found."""
    if as_json:
        for row in rows:
            sys.stdout.write(row.as_json() + "\n")
        return
    unreadable = sum(bool(row.error) for row in rows)
    found = masking.report()
    if found.by_type:
        shapes = {kind: ", ".join(found.shapes[kind]) for kind in found.by_type}
        counted = [(kind, count, shapes[kind]) for kind, count in found.by_type.items()]
        table(("type", "found", "looks like"), counted)
    out.print(f"{found.with_personal_data} of {found.rows} rows hold personal data")
    if masking.without_field:
        out.print(f"[yellow]{masking.without_field} rows do not have the field[/yellow]")
    if unreadable:
        out.print(f"[yellow]{unreadable} could not be read: --json tells which, and why[/yellow]")


def removed(rows: "Iterable[RemovedRow]", *, as_json: bool) -> None:
    """Good rows left out, a line each; as JSON Lines for programs."""
    if as_json:
        for row in rows:
            print(row.model_dump_json(serialize_as_any=True))
        return
    table(
        ("key", "rule", "score", "where", "why"),
        [
            (row.key[:12], row.rule, f"{row.score:.2f}", row.example.source, row.reason)
            for row in rows
        ],
    )


def contradictions(found: "Contradictions", *, most: int, as_json: bool) -> None:
    """Pairs of rows, their answers side by side under what they ask."""
    pairs = found.pairs[:most]
    if as_json:
        shown = [pair.model_dump() for pair in pairs]
        print_json({"prompts": found.prompts, "pairs": shown})
        return
    for pair in pairs:
        alike = "" if pair.likeness == 1 else f"  asked {pair.likeness:.0%} alike"
        out.rule(f"[bold]{pair.score:.2f}[/bold]{alike}", align="left", style="dim")
        sides = (pair.one, pair.other)
        drawn = Table(*(escape(side.source) for side in sides), box=None, padding=(0, 2, 0, 0))
        for texts, colour in (
            ([side.question for side in sides], COLOURS["user"]),
            ([side.answer for side in sides], COLOURS["assistant"]),
        ):
            drawn.add_row(*(Text(shortened(text), colour) for text in texts))
        out.print(drawn)
    out.print(
        f"[dim]prompts whose answers contradict: {found.prompts}; pairs shown: {len(pairs)};"
        " decide in `tunesmith studio`[/dim]"
    )


def doubtful(rows: "Sequence[Doubtful]", *, as_json: bool) -> None:
    """Rows whose answers seem wrong, the worst first, and what to do with them."""
    if as_json:
        print_json(
            [
                {
                    "example": row.example.model_dump(),
                    **row.found.model_dump(),
                    "score": round(row.score, 4),
                }
                for row in rows
            ]
        )
        return
    table(
        ("key", "loss", "base", "elsewhere", "where", "question", "answer", "says", "expected"),
        [
            (
                row.example.key[:12],
                f"{row.found.after:.2f}",
                "–" if row.found.before is None else f"{row.found.before:.2f}",
                f"{row.found.elsewhere:.2f}",
                row.example.source,
                row.example.prompt[-1].content[:50],
                row.example.answer[:40],
                f"{row.found.given!r} {row.found.given_chance:.0%}",
                f"{row.found.expected!r} {row.found.expected_chance:.0%}",
            )
            for row in rows
        ],
    )
    out.print(
        "[dim]noted for the review: `tunesmith studio` shows these first;"
        " `curate.label_noise` in the recipe removes a share of them[/dim]"
    )


def restored(row: "RemovedRow", *, as_json: bool) -> None:
    """A row that the next run keeps."""
    if as_json:
        print_json(row.model_dump())
        return
    out.print(
        f"{escape(row.example.source)} will be kept; `tunesmith curate` makes the dataset with it"
    )


def card(made: "Card", workspace: "Workspace", *, as_json: bool) -> None:
    """What a dataset covers, and where its card lies."""
    seen = made.seen
    if as_json:
        facts_seen = {
            "themes": [theme._asdict() for theme in seen.themes],
            "gaps": [gap._asdict() for gap in seen.gaps],
            "farthest": [gap._asdict() for gap in seen.farthest],
            "gap_threshold": seen.gap_threshold,
            "needed": seen.needed,
            "tags": [tag._asdict() for tag in seen.tags],
            "questions": [part._asdict() for part in seen.questions],
            "surveyed": seen.surveyed,
        }
        print_json({"page": str(made.page), "markdown": str(made.markdown), **facts_seen})
        return
    table(
        ("theme", "train", "golden", "most typical"),
        [
            (theme.name, theme.train, theme.golden, " ".join(theme.examples[0].split())[:SHOWN_ROW])
            for theme in seen.themes
        ],
    )
    needed = ", ".join(f"{share} with {number}" for share, number in seen.needed.items())
    facts(
        f"coverage of {seen.surveyed} examples",
        {
            "the most diverse reach": needed,
            "golden prompts far from training": len(seen.gaps),
            "card": workspace.shown(made.page),
        },
    )


def diff(found: "Difference", *, as_json: bool) -> None:
    """Two versions side by side: counts, then the first examples of each kind."""
    lists = {"added": found.added, "removed": found.removed}
    if as_json:
        kinds = {kind: [row.model_dump() for row in rows] for kind, rows in lists.items()}
        anew = [(one.before.model_dump(), one.after.model_dump()) for one in found.answered_anew]
        moved = [(one.example.model_dump(), one.before, one.after) for one in found.moved]
        print_json({"same": found.same, **kinds, "answered_anew": anew, "moved": moved})
        return
    counts = {kind: len(rows) for kind, rows in lists.items()}
    facts(
        f"{found.before.id} to {found.after.id}",
        {
            "the same": found.same,
            **counts,
            "answered anew": len(found.answered_anew),
            "moved between splits": len(found.moved),
        },
    )
    for kind, rows in lists.items():
        sign, colour = ("+", "green") if kind == "added" else ("-", "red")
        for row in rows[:SHOWN_CHANGES]:
            out.print(Text(f"{sign} {_one_line(row)}", colour))
    for pair in found.answered_anew[:SHOWN_CHANGES]:
        out.print(Text(f"- {_one_line(pair.before)}", "red"))
        out.print(Text(f"+ {_one_line(pair.after)}", "green"))
    for one in found.moved[:SHOWN_CHANGES]:
        sides = f"{one.before} to {one.after}"
        out.print(Text(f"~ {sides}: {_one_line(one.example)}", "yellow"))


def _one_line(row: "Example") -> str:
    asked, answer = (" ".join(text.split()) for text in (row.prompt[-1].content, row.answer))
    return f"{asked[:SHOWN_ROW]}  →  {answer[:SHOWN_ROW]}"


def _converted(row: "Converted") -> None:
    example = row.example
    head = [f"[bold]{escape(example.source)}[/bold]", row.format]
    head += [f"group {escape(example.group)}"] if example.group else []
    head += [f"tags {escape(', '.join(example.tags))}"] if example.tags else []
    out.rule("  ".join(head), align="left", style="dim")
    grid = Table.grid(padding=(0, 2))
    for turn in example.messages:
        colour = COLOURS[turn.role]
        grid.add_row(Text(turn.role, style=f"bold {colour}"), Text(shortened(turn.content), colour))
    out.print(grid)
    out.print()


def shortened(text: str) -> str:
    """The beginning of a text, and how much more there is."""
    if len(text) <= SHOWN_CHARACTERS:
        return text
    return f"{text[:SHOWN_CHARACTERS]} … {len(text) - SHOWN_CHARACTERS} more characters"
