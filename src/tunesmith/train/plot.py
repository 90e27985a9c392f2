"""Loss and learning rate over steps, as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

MARGIN = "rewards/margins"
"""How much further the model has moved towards the better answers than towards the worse ones."""


def draw(history: Sequence[dict[str, float]], path: Path) -> None:
    """Write a PNG: training and validation loss, learning rate, and of preference tuning the margin, over steps."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    has_rewards = any(MARGIN in row for row in history)
    panels = figure.subplots(
        3 if has_rewards else 2, 1, sharex=True, height_ratios=[3, 1, 2][: 2 + has_rewards]
    )
    losses, rates = panels[:2]
    if has_rewards:
        _draw_margins(panels[2], history)
    for key, label, style in (("loss", "training", "-"), ("eval_loss", "validation", "o-")):
        points = [(row["step"], row[key]) for row in history if key in row]
        if points:
            losses.plot(*zip(*points, strict=True), style, label=label, linewidth=1.5, markersize=4)
            losses.legend(frameon=False)
    losses.set_ylabel("loss (nats per trained token)")
    points = [(row["step"], row["learning_rate"]) for row in history if "learning_rate" in row]
    if points:
        rates.plot(*zip(*points, strict=True), color="tab:gray", linewidth=1.5)
    rates.set_ylabel("learning rate")
    panels[-1].set_xlabel("optimizer step")
    for axis in panels:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
    figure.savefig(path)


def _draw_margins(axis: Any, history: Sequence[dict[str, float]]) -> None:
    for key, label, style in ((MARGIN, "training", "-"), (f"eval_{MARGIN}", "validation", "o-")):
        points = [(row["step"], row[key]) for row in history if key in row]
        if points:
            axis.plot(*zip(*points, strict=True), style, label=label, linewidth=1.5, markersize=4)
    axis.axhline(0, color="tab:gray", linewidth=0.8)
    axis.set_ylabel("reward margin")
