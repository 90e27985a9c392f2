"""Listening on this machine alone."""

import socket

from tunesmith.errors import RecipeError

LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
"""Names a browser may call us by; others would be a web page that rebinds its name to this machine."""


def listen(host: str, port: int, *, section: str) -> socket.socket:
    """A socket that queues connections from now on.

    Args:
        host: A loopback address or name.
        port: 0 takes a free one.
        section: Whose port it is, for the message: `serve`, `studio`.

    Raises:
        RecipeError: If the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise RecipeError(
            section,
            [f"port {port} of {host} cannot be used: {error.strerror}"],
            fix="choose another with `--port`, 0 for any free one",
        ) from error
    listener.listen(128)
    return listener
