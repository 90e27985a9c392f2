"""A dataset looked over: themes, map, gaps, repetition, lengths; what the card shows."""

from collections.abc import Sequence
from typing import NamedTuple

from tunesmith.artifacts.dataset import Dataset
from tunesmith.artifacts.golden_set import GoldenSet
from tunesmith.core.conversation import Example, Prompt
from tunesmith.core.workspace import Workspace
from tunesmith.curate.coverage.makeup import Part, question_parts, tag_parts

SURVEYED = 20_000
"""Most training rows that are looked over; of more, as many evenly spaced ones."""
SHARES = (0.8, 0.9, 0.95, 0.99)
CURVE_POINTS = 60
LISTED = 10
"""Golden prompts that are listed even where training is near to all."""


class Theme(NamedTuple):
    """A group of prompts about the same thing, or those that are like no group."""

    name: str
    train: int
    golden: int
    examples: list[str]
    """Those most like the others of it."""
    is_other: bool
    """Whether these prompts belong to no theme."""


class Gap(NamedTuple):
    """A golden prompt beside the training prompt that is most like it."""

    prompt: str
    similarity: float
    nearest: str


class Dot(NamedTuple):
    """One prompt on the map; the map is 1 wide and 1 high."""

    x: float
    y: float
    theme: int
    kind: str
    """`train`, `golden` or `gap`."""
    text: str


class Survey(NamedTuple):
    """Everything that was seen."""

    surveyed: int
    themes: list[Theme]
    dots: list[Dot]
    gaps: list[Gap]
    """Those with no near neighbour in training, farthest first."""
    farthest: list[Gap]
    """The same, and so many others that ten are shown."""
    gap_threshold: float
    needed: dict[str, int]
    """How many diverse examples reach `80%`, `90%`, … of the coverage of all."""
    curve: list[tuple[int, float]]
    """(examples chosen, share of the coverage of all)."""
    tags: list[Part]
    """How many rows carry which tag; empty where none has one."""
    questions: list[Part]
    """How many conversations ask how often."""
    prompt_characters: list[int]
    answer_characters: list[int]


def survey(dataset: Dataset, golden_set: GoldenSet, workspace: Workspace) -> Survey:
    """Look over the training side of a dataset beside the golden set that judges it."""
    import numpy as np

    from tunesmith.curate.coverage.gaps import UNRELATED, nearness, word_vectors
    from tunesmith.curate.coverage.selection import facility_location, needed_for
    from tunesmith.curate.coverage.themes import OTHER, find_themes
    from tunesmith.curate.coverage.vectors import flat, place

    rows = _spaced(dataset.rows(workspace, "train"))
    asked = [question(row.prompt) for row in rows]
    cases = list(golden_set.cases(workspace))
    golden = [question(case.messages) for case in cases]
    space = place([*asked, *golden])
    train_points = space.points[: len(asked)]
    themes = find_themes(space)
    words = word_vectors([*asked, *golden])
    near = nearness(words[len(asked) :], words[: len(asked)])
    selection = facility_location(train_points, len(asked))
    taught, judged = np.split(themes.of, [len(asked)])
    found = [
        Theme(
            name,
            int((taught == number).sum()),
            int((judged == number).sum()),
            [[*asked, *golden][text] for text in themes.central[number]],
            name == OTHER,
        )
        for number, name in enumerate(themes.names)
    ]
    farthest = [
        Gap(golden[case], float(near.similarity[case]), asked[near.nearest[case]])
        for case in near.farthest
    ]
    return Survey(
        surveyed=len(rows),
        themes=found,
        dots=_dots(flat(space.points), themes.of.tolist(), [asked, golden], set(near.gaps)),
        gaps=farthest[: len(near.gaps)],
        farthest=farthest[: max(LISTED, len(near.gaps))],
        gap_threshold=UNRELATED,
        needed={f"{share:.0%}": needed_for(selection, share) for share in SHARES},
        curve=_curve(selection.coverage),
        tags=tag_parts(rows, cases),
        questions=question_parts(rows, cases),
        prompt_characters=[len(text) for text in asked],
        answer_characters=[len(row.answer) for row in rows],
    )


def question(prompt: Prompt) -> str:
    """What is asked, the system turn aside."""
    return "\n".join(turn.content.strip() for turn in prompt if turn.role == "user")


def _spaced(rows: list[Example]) -> list[Example]:
    step = max(1, -(-len(rows) // SURVEYED))
    return rows[::step]


def _curve(coverage: Sequence[float]) -> list[tuple[int, float]]:
    step = max(1, len(coverage) // CURVE_POINTS)
    chosen = sorted({*range(1, len(coverage) + 1, step), len(coverage)})
    return [(number, coverage[number - 1] / coverage[-1]) for number in chosen if coverage]


def _dots(places: "object", themes: list[int], sides: list[list[str]], gaps: set[int]) -> list[Dot]:
    import numpy as np

    spread = np.asarray(places, dtype=float)
    low, high = spread.min(axis=0), spread.max(axis=0)
    scaled = (spread - low) / np.where(high > low, high - low, 1)
    asked, golden = sides
    kinds = ["train"] * len(asked)
    kinds += ["gap" if case in gaps else "golden" for case in range(len(golden))]
    return [
        Dot(round(x, 4), round(y, 4), theme, kind, text)
        for (x, y), theme, kind, text in zip(
            scaled.tolist(), themes, kinds, [*asked, *golden], strict=True
        )
    ]
