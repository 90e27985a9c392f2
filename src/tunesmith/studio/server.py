"""The studio's server: on this machine alone, until it is told to stop."""

import os
import sys
import webbrowser
from collections.abc import Callable
from contextlib import suppress

from tunesmith.artifacts.dataset import Dataset
from tunesmith.core.loopback import listen
from tunesmith.core.workspace import Workspace

HOST = "127.0.0.1"


def run(
    workspace: Workspace,
    reviewer: str,
    *,
    port: int,
    on_ready: Callable[[str], None],
    is_quiet: bool = True,
) -> None:
    """Serve the pages of a workspace until SIGINT or SIGTERM.

    Args:
        workspace: What is looked at.
        reviewer: Whose decisions they are, unless the browser says otherwise.
        port: 0 takes a free one.
        on_ready: Called with the review page's address once connections are accepted.
        is_quiet: Show no progress while the newest dataset is opened.

    Raises:
        RecipeError: If the port is taken.
    """
    import uvicorn

    from tunesmith.studio.app import make_app

    listener = listen(HOST, port, section="studio")
    app = make_app(workspace, reviewer)
    if ids := Dataset.ids(workspace):
        # Here, where there is a progress bar, and not while a browser waits for its first page.
        shelf = app.state.desk.shelf(ids[-1], is_quiet=is_quiet)
        # What the first page needs: its order, and the random one that says what the review proves.
        shelf.part("suspicion")
        shelf.part("random")
    settings = uvicorn.Config(app, log_level="warning", lifespan="off")
    on_ready(f"http://{HOST}:{listener.getsockname()[1]}/review")
    # Ctrl-C is how the studio is meant to end, so it is no failure.
    with suppress(KeyboardInterrupt):
        uvicorn.Server(settings).run(sockets=[listener])


def open_browser(url: str) -> None:
    """Show the page, where there is a screen to show it on; a browser inside the terminal would hide our output."""
    has_screen = sys.platform in {"darwin", "win32"} or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if has_screen:
        webbrowser.open(url)
