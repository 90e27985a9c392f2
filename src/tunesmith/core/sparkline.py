"""A series of numbers as one line of text."""

from collections.abc import Sequence
from itertools import pairwise

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(series: Sequence[float], *, width: int) -> str:
    """The series in at most `width` characters, its lowest value the lowest block; longer ones are averaged.

    >>> sparkline([8, 4, 2, 1], width=10)
    '█▄▂▁'
    >>> sparkline([1, 1, 5, 5, 9, 9], width=3)
    '▁▅█'
    """
    if not series or width < 1:
        return ""
    count = min(width, len(series))
    edges = [round(index * len(series) / count) for index in range(count + 1)]
    means = [sum(series[start:end]) / (end - start) for start, end in pairwise(edges)]
    low, high = min(means), max(means)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[round((mean - low) * scale)] for mean in means)
