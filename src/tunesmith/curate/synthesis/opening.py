"""From the recipe's sections to a synthesis, run or only forecast."""

import asyncio

from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.synthesis import stage
from tunesmith.curate.synthesis.config import SynthesizeConfig
from tunesmith.curate.synthesis.forecast import Forecast, forecast
from tunesmith.errors import RecipeError
from tunesmith.models.config import ModelConfig


def synthesize(
    config: CurateConfig, model: ModelConfig, workspace: Workspace, *, is_quiet: bool
) -> stage.Synthesis:
    """Let the recipe's teacher write new rows; see `stage.run`.

    Args:
        config: The recipe's `curate:` section.
        model: The recipe's base model, which teaches where the protocol is `local`.
        workspace: Where seeds are read and answers kept.
        is_quiet: Show no progress.

    Raises:
        RecipeError: If the recipe has no section `curate.synthesize`.
    """
    from tunesmith.engines.teachers import open_teacher

    plan = _plan(config)
    return asyncio.run(
        stage.run(
            config,
            plan,
            workspace,
            lambda teacher: open_teacher(teacher, model, workspace.root),
            is_quiet=is_quiet,
        )
    )


def foresee(config: CurateConfig, workspace: Workspace) -> Forecast:
    """What `synthesize` would ask, and at most cost; see `forecast`.

    Raises:
        RecipeError: If the recipe has no section `curate.synthesize`.
    """
    return forecast(config, _plan(config), workspace)


def _plan(config: CurateConfig) -> SynthesizeConfig:
    if config.synthesize is None:
        raise RecipeError(
            "the recipe",
            ["there is no section `curate.synthesize`"],
            fix="say who teaches and what: docs/synthesize.md has a section to start from",
        )
    return config.synthesize
