"""A studio that answers on a free port while a test runs."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tunesmith.artifacts.dataset import Dataset
from tunesmith.core.loopback import listen
from tunesmith.core.workspace import Workspace
from tunesmith.studio.app import make_app


@contextmanager
def studio(workspace: Workspace, reviewer: str = "ana") -> Iterator[str]:
    """The address of a studio in which `reviewer` decides."""
    listener = listen("127.0.0.1", 0, section="studio")
    app = make_app(workspace, reviewer)
    for newest in Dataset.ids(workspace)[-1:]:
        # As the command does, before anybody waits for a page.
        app.state.desk.shelf(newest)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
