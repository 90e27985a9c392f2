"""Loss and learning rate over steps, as a picture."""

from collections.abc import Sequence
from pathlib import Path


def draw(history: Sequence[dict[str, float]], path: Path) -> None:
    """Write a PNG: training and validation loss above, learning rate below, over optimizer steps."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    losses, rates = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
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
    rates.set_xlabel("optimizer step")
    for axis in (losses, rates):
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25)
    figure.savefig(path)
