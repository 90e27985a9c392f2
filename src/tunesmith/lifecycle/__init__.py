"""The stages in order, and what goes through several of them: a turn of the loop, a sweep over settings."""

from tunesmith.lifecycle.cycle import STAGES, Freshness, Lifecycle, StageName, StageState

__all__ = ["STAGES", "Freshness", "Lifecycle", "StageName", "StageState"]
