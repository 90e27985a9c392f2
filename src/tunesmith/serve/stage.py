"""The serve stage: an endpoint behind HTTP, until it is told to stop."""

import asyncio
import socket
from collections.abc import Callable

from tunesmith.engines.endpoint import Endpoint
from tunesmith.errors import RecipeError
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

    listener = _listen(config)
    host, port = listener.getsockname()[:2]
    settings = uvicorn.Config(make_app(endpoint, config), log_level="warning", lifespan="off")
    if on_ready:
        on_ready(f"http://{f'[{host}]' if ':' in host else host}:{port}/v1")
    try:
        uvicorn.Server(settings).run(sockets=[listener])
    finally:
        asyncio.run(endpoint.close())


def _listen(config: ServeConfig) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
    except OSError as error:
        listener.close()
        raise RecipeError(
            "serve",
            [f"port {config.port} of {config.host} cannot be used: {error.strerror}"],
            fix="choose another with `--port`, 0 for any free one",
        ) from error
    listener.listen(128)
    return listener
