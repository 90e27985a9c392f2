"""What the words of `tunesmith curate` print."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tunesmith.cli.render import out, print_json, table

if TYPE_CHECKING:
    from tunesmith.artifacts.dataset import RemovedRow
    from tunesmith.curate.preview import Converted, Preview

COLOURS: Mapping[str, str] = {"system": "magenta", "user": "cyan", "assistant": "green"}
SHOWN_CHARACTERS = 600
"""How much of a turn is shown."""
SHOWN_REJECTED = 10
"""How many rejected rows are shown one by one."""
SHOWN_ROW = 110
"""How much of a rejected row is shown."""


def preview(found: "Preview", *, as_json: bool) -> None:
    """Converted rows with their roles in colour, then what would be set aside."""
    if as_json:
        print_json(found.as_json())
        return
    for row in found.converted:
        _converted(row)
    shown = f"{len(found.converted)} of the first {found.read} rows shown"
    out.print(f"[dim]{shown}; nothing was written[/dim]")
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


def restored(row: "RemovedRow", *, as_json: bool) -> None:
    """A row that the next run keeps."""
    if as_json:
        print_json(row.model_dump())
        return
    out.print(
        f"{escape(row.example.source)} will be kept; `tunesmith curate` makes the dataset with it"
    )


def _converted(row: "Converted") -> None:
    example = row.example
    facts = [f"[bold]{escape(example.source)}[/bold]", row.format]
    facts += [f"group {escape(example.group)}"] if example.group else []
    facts += [f"tags {escape(', '.join(example.tags))}"] if example.tags else []
    out.rule("  ".join(facts), align="left", style="dim")
    grid = Table.grid(padding=(0, 2))
    for turn in example.messages:
        colour = COLOURS[turn.role]
        grid.add_row(
            Text(turn.role, style=f"bold {colour}"), Text(_shortened(turn.content), colour)
        )
    out.print(grid)
    out.print()


def _shortened(text: str) -> str:
    if len(text) <= SHOWN_CHARACTERS:
        return text
    return f"{text[:SHOWN_CHARACTERS]} … {len(text) - SHOWN_CHARACTERS} more characters"
