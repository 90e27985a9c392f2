"""One training under way: what all its parts need to know."""

from pathlib import Path
from typing import NamedTuple

from tunesmith.core.workspace import Workspace
from tunesmith.train.config import TrainConfig
from tunesmith.train.material import Material
from tunesmith.train.team import Team


class Session(NamedTuple):
    """One training, as one process of its team sees it."""

    config: TrainConfig
    workspace: Workspace
    material: Material
    team: Team
    folder: Path
    """Where checkpoints lie until the adapter is saved."""

    @property
    def steps(self) -> int:
        """Optimizer steps in all."""
        return len(self.material.steps(self.config))
