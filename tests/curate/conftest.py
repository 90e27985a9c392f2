"""A teacher's key in the environment, and seeds: what tests of synthesis begin with."""

import pytest

from curate.teaching import plant_seeds
from teacher_server import KEY
from tunesmith.core.workspace import Workspace


@pytest.fixture
def teacher_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_KEY", KEY)


@pytest.fixture
def seeds(workspace: Workspace) -> Workspace:
    return plant_seeds(workspace)
