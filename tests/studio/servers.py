"""A studio that answers on a free port while a test runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from serving import answering
from tunesmith.artifacts.dataset import Dataset
from tunesmith.core.workspace import Workspace
from tunesmith.studio.app import make_app


@contextmanager
def studio(workspace: Workspace, reviewer: str = "ana") -> Iterator[str]:
    """The address of a studio in which `reviewer` decides."""
    app = make_app(workspace, reviewer)
    for newest in Dataset.ids(workspace)[-1:]:
        # As the command does, before anybody waits for a page.
        app.state.desk.shelf(newest)
    with answering(app) as address:
        yield address
