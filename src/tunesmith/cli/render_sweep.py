"""What a sweep prints."""

from typing import TYPE_CHECKING

from rich.markup import escape

from tunesmith.cli.render import facts, out, print_json, table

if TYPE_CHECKING:
    from tunesmith.core.workspace import Workspace
    from tunesmith.lifecycle.sweep import SweepResult, Trial


def trial(found: "Trial") -> None:
    """A trial that has ended."""
    score = f"score {found.score:.3f}" if found.score is not None else "stopped early"
    out.print(
        f"trial {found.number}: {score}  (rank {found.rank}, learning rate {found.learning_rate:.2e},"
        f" {found.epochs} epochs)"
    )


def sweep(result: "SweepResult", workspace: "Workspace", *, as_json: bool) -> None:
    """All trials, the best first, and its settings as recipe lines."""
    if as_json:
        trials = [one._asdict() for one in result.trials]
        best = result.best._asdict() if result.best else None
        print_json({**result._asdict(), "trials": trials, "best": best})
        return
    ended = sum(one.state != "failed" for one in result.trials)
    facts(
        f"sweep {result.id}",
        {
            "trials": f"{ended} of {result.wanted} done",
            "study": workspace.shown(result.folder / "study.db"),
            "plot": workspace.shown(result.folder / "trials.png"),
        },
    )
    if result.best is None:
        return
    ordered = sorted(result.trials, key=lambda one: -1 if one.score is None else one.score)
    table(
        ("trial", "score", "validation loss", "rank", "learning rate", "epochs"),
        [
            (
                one.number,
                f"{one.score:.3f}" if one.score is not None else one.state,
                f"{one.validation_loss:.4f}" if one.validation_loss is not None else "",
                one.rank,
                f"{one.learning_rate:.2e}",
                one.epochs,
            )
            for one in reversed(ordered)
        ],
    )
    out.print("the best settings, for your recipe:")
    out.print(escape(result.recipe_lines))
