"""The dataset card: what was seen, as a page with plots and as Markdown."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tunesmith.artifacts.dataset import Dataset
from tunesmith.artifacts.golden_set import GoldenSet
from tunesmith.core.workspace import Workspace, write_text
from tunesmith.curate.coverage.survey import Survey, survey

BINS = 24
CELL_CHARACTERS = 160
"""How much of a text a table cell of the Markdown shows."""


SHOWN_PARTS = 12
"""Tags that the page shows; the Markdown has all."""


class Histogram(NamedTuple):
    """Lengths in bars of even width, from 0 on."""

    heights: list[float]
    """Share of the highest bar."""
    median: int
    top: int
    """Where the last bar ends; it holds everything longer, too."""


class Card(NamedTuple):
    """A card and what it was made from."""

    page: Path
    """One HTML file that needs no network."""
    markdown: Path
    seen: Survey


def make_card(dataset: Dataset, golden_set: GoldenSet, workspace: Workspace) -> Card:
    """Look a dataset over and put `card.html` and `card.md` beside its manifest."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    seen = survey(dataset, golden_set, workspace)
    environment = Environment(
        loader=PackageLoader("tunesmith", "curate/coverage"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = cell
    facts = {
        "dataset": dataset,
        "golden_set": golden_set,
        "seen": seen,
        "rejected": sum(source.rejected for source in dataset.sources),
        "shown_parts": SHOWN_PARTS,
        "lengths": {
            "prompts": histogram(seen.prompt_characters),
            "answers": histogram(seen.answer_characters),
        },
    }
    page = dataset.card_path(workspace)
    card = Card(page, page.with_suffix(".md"), seen)
    for path in (card.page, card.markdown):
        write_text(path, environment.get_template(f"{path.name}.j2").render(facts))
    return card


def cell(text: str) -> str:
    """The text on one line, safe inside a Markdown table."""
    line = " ".join(text.split())
    shown = line if len(line) <= CELL_CHARACTERS else f"{line[:CELL_CHARACTERS]}…"
    return shown.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def histogram(lengths: Sequence[int]) -> Histogram:
    """How many texts have which length; the longest hundredth is gathered in the last bar."""
    import numpy as np

    values = np.asarray(lengths)
    top = max(float(np.percentile(values, 99)), 1.0)
    counts, _ = np.histogram(np.minimum(values, top), bins=BINS, range=(0, top))
    return Histogram((counts / counts.max()).tolist(), int(np.median(values)), round(top))
