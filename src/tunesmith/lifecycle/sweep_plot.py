"""The trials of a sweep as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunesmith.lifecycle.sweep import SweepResult


def draw(result: "SweepResult", path: Path) -> None:
    """Write a PNG: score over learning rate, a colour for each rank, a larger mark for more epochs, the best ringed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for rank in sorted({trial.rank for trial in result.trials}):
        done = [trial for trial in result.trials if trial.rank == rank and trial.score is not None]
        axes.scatter(
            [trial.learning_rate for trial in done],
            [trial.score or 0.0 for trial in done],
            s=[30 + 30 * trial.epochs for trial in done],
            label=f"rank {rank}",
            alpha=0.8,
        )
    stopped = [trial.learning_rate for trial in result.trials if trial.state == "pruned"]
    axes.scatter(stopped, [0.0] * len(stopped), marker="x", color="tab:gray", label="stopped early")
    if result.best and result.best.score is not None:
        place = ([result.best.learning_rate], [result.best.score])
        axes.scatter(*place, s=320, facecolors="none", edgecolors="black", label="best")
    axes.set_xscale("log")
    axes.set_xlabel("learning rate (larger mark: more epochs)")
    axes.set_ylabel("score on validation examples")
    axes.set_ylim(-0.05, 1.05)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    figure.savefig(path)
