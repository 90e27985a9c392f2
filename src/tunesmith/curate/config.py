"""The `curate:` section of a recipe."""

from pydantic import Field, PositiveInt

from tunesmith.core.section import Section


class CurateConfig(Section):
    """Which raw files become the dataset, and how they are split."""

    sources: tuple[str, ...] = Field(("data/*",), min_length=1)
    """Files or patterns, relative to the recipe."""
    golden: str | None = None
    """File with the golden cases; without one, `golden_share` of the examples is held out."""
    golden_share: float = Field(0.1, gt=0, lt=0.5)
    """Share of prompts held out as golden cases where no golden file is named."""
    validation_share: float = Field(0.1, ge=0, lt=0.5)
    """Share of prompts kept to measure loss while training."""
    system: str | None = None
    """System turn put before conversations that have none, golden ones included."""
    max_characters: PositiveInt = 100_000
    """Longest example; longer rows are set aside."""
    seed: int = 0
    """Another seed sends other prompts to validation."""
