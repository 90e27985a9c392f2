"""The `release:` section of a recipe."""

from pydantic import Field

from tunesmith.core.section import Section


class ReleaseConfig(Section):
    """Where releases are registered and what one must have shown to go live."""

    tracking_uri: str | None = None
    """MLflow server or database; unset, `$MLFLOW_TRACKING_URI`, else SQLite in the workspace."""
    minimum: float | None = Field(None, ge=0, le=1)
    """Mean score that the tuned model must reach under the first grader."""
    must_beat_base: bool = True
    """Whether the 95% interval of the gain over the base, by the first grader, must lie above 0."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Own tags of every version registered."""
