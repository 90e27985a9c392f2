"""The serve stage: an endpoint behind HTTP, until it is told to stop."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from tunesmith.core.loopback import listen
from tunesmith.engines.endpoint import Endpoint
from tunesmith.serve.config import ServeConfig


def run(
    config: ServeConfig, endpoint: Endpoint, *, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests under way and close the endpoint.

    Args:
        config: The recipe's `serve:` section.
        endpoint: Answers the requests.
        on_ready: Called with the base URL once connections are accepted.

    Raises:
        RecipeError: If the port is taken.
    """
    import uvicorn

    from tunesmith.serve.app import make_app

    listener = listen(config.host, config.port, section="serve")
    host, port = listener.getsockname()[:2]
    settings = uvicorn.Config(make_app(endpoint, config), log_level="warning", lifespan="off")
    if on_ready:
        on_ready(f"http://{f'[{host}]' if ':' in host else host}:{port}/v1")
    try:
        # Ctrl-C is how serving is meant to end, so it is no failure.
        with suppress(KeyboardInterrupt):
            uvicorn.Server(settings).run(sockets=[listener])
    finally:
        asyncio.run(endpoint.close())
