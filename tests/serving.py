"""An app that answers on a free port while a test runs."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from tunesmith.core.loopback import listen


@contextmanager
def answering(app: Any) -> Iterator[str]:
    """The address of the app, without a slash at its end."""
    listener = listen("127.0.0.1", 0, section="test")
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
