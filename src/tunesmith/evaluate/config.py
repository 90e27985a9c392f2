"""The `evaluate:` section of a recipe."""

from typing import Literal

from pydantic import Field, PositiveInt

from tunesmith.core.section import Section

GraderChoice = str | dict[str, dict[str, object]]
"""A grader's name, or `{name: {option: value}}`."""


class EvaluateConfig(Section):
    """How base and tuned model are questioned and graded."""

    graders: tuple[GraderChoice, ...] = Field(("normalised",), min_length=1)
    """What "right" means; the first one decides, the others are shown beside it."""
    secondary: tuple[Literal["bleu", "chrf", "rouge_l"], ...] = ("bleu", "chrf", "rouge_l")
    """Measures of overlap, shown for insight; they decide nothing."""
    max_tokens: PositiveInt = 256
    """Longest answer, in tokens."""
    stop: tuple[str, ...] = ()
    """Strings that end an answer, besides the model's own end of turn."""
    concurrency: PositiveInt = 32
    """Questions asked at once; the engine answers them as one batch."""
