"""What `tunesmith curate synthesize` prints: before, what it would ask and cost; after, what it made and did cost."""

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.text import Text

from tunesmith.cli.render import facts, out, print_json, table
from tunesmith.cli.render_curate import COLOURS, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunesmith.core.workspace import Workspace
    from tunesmith.curate.synthesis.forecast import Forecast
    from tunesmith.curate.synthesis.passages import Unread
    from tunesmith.curate.synthesis.stage import Synthesis


def forecast(found: "Forecast", *, as_json: bool) -> None:
    """What a synthesis would ask and at most cost, with the first prompt of each kind."""
    if as_json:
        steps = [step._asdict() for step in found.steps]
        totals = {"tokens": found.tokens, "money": found.money}
        unread = [one._asdict() for one in found.unread]
        known = {"teacher": found.teacher, "seeds": found.seeds, "steps": steps, "unread": unread}
        print_json({**known, **totals})
        return
    for step in found.steps:
        out.rule(
            f"[bold]{escape(step.name)}[/bold]  {step.requests} requests", align="left", style="dim"
        )
        out.print(Text(shortened(step.example), COLOURS["user"]))
        out.print()
    table(
        ("step", "requests", "prompt tokens", "answer tokens, at most", "money, at most"),
        [
            (
                step.name,
                step.requests,
                f"{step.prompt_tokens:,}",
                f"{step.answer_tokens:,}",
                f"{step.money:.2f}",
            )
            for step in found.steps
        ],
    )
    _unread(found.unread)
    out.print(
        f"{escape(found.teacher)}, {found.seeds} seeds: at most {found.tokens:,} tokens"
        f" and {found.money:.2f} in money; nothing was asked"
    )


def synthesis(made: "Synthesis", workspace: "Workspace", *, as_json: bool) -> None:
    """What a teacher wrote, and what it cost."""
    if as_json:
        print_json({**made._asdict(), "unread": [one._asdict() for one in made.unread]})
        return
    aside = ", ".join(f"{count} by {step}" for step, count in made.aside.items()) or "nothing"
    paid = made.requests - made.cached
    facts(
        f"{made.rows} new rows in {workspace.shown(made.output)}",
        {
            "set aside": f"{aside} ({workspace.shown(made.aside_path)})",
            "requests": f"{paid} paid now, {made.cached} paid before",
            "tokens": f"{made.prompt_tokens:,} asked, {made.answer_tokens:,} answered,"
            " all runs together",
            **({"money": f"{made.money:.2f}, all runs together"} if made.money else {}),
        },
    )
    _unread(made.unread)
    if made.is_exhausted:
        out.print("[yellow]stopped at the budget[/yellow]; raise curate.synthesize.budget to go on")
    if made.is_source:
        out.print("next: tunesmith curate preview")
    else:
        out.print(f"next: add {escape(workspace.shown(made.output))} to curate.sources")


def _unread(documents: "Sequence[Unread]") -> None:
    for document in documents:
        out.print(
            f"[yellow]not read: {escape(document.file)}[/yellow] is {document.reason};"
            " save it as text, Markdown or HTML"
        )
