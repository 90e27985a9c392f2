"""The benchmark's picture."""

from pathlib import Path
from typing import Any

PANELS = {
    "tokens_per_second": "real tokens/s",
    "end_to_end_seconds": "command to finished adapter, s",
    "peak_gib": "peak memory, GiB",
    "eval_loss": "loss on unseen examples",
}


def draw(result: dict[str, Any], path: Path) -> None:
    """Write one bar a side for every measure."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(PANELS), figsize=(13, 3), layout="constrained")
    names = list(result["sides"])
    for axis, (key, title) in zip(axes, PANELS.items(), strict=True):
        values = [result["sides"][name][key] for name in names]
        colors = ["#1f77b4" if name == "tunesmith" else "#b0b0b0" for name in names]
        bars = axis.barh(names, values, color=colors)
        axis.bar_label(bars, fmt=lambda value: f"{float(f'{value:.3g}'):,g}", padding=2)
        axis.set_title(title, fontsize=10)
        axis.margins(x=0.2)
        axis.spines[["top", "right"]].set_visible(False)
        axis.label_outer()
    figure.savefig(path, dpi=120)
    plt.close(figure)
