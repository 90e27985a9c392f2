"""The `serve:` section of a recipe."""

from typing import Literal

from pydantic import Field, PositiveInt

from tunesmith.core.section import Section


class ServeConfig(Section):
    """Where the endpoint listens and what it refuses."""

    host: Literal["127.0.0.1", "::1", "localhost"] = "127.0.0.1"
    """This machine only; put a gateway with authentication before it to let others in."""
    port: int = Field(8000, ge=0, le=65535)
    """0 takes a free one."""
    max_body_bytes: PositiveInt = 1_048_576
    """Largest request."""
    max_tokens: PositiveInt = 1024
    """Longest answer a request may ask for, in tokens."""
    default_max_tokens: PositiveInt = 256
    """Longest answer where a request does not say."""
    max_batch: PositiveInt = 32
    """Requests decoded together."""
    max_waiting: PositiveInt = 256
    """Requests under way, those in the batch included; more are refused with 429."""
