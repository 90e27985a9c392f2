"""How a model on another machine is reached: protocol, address, limits, prices."""

import ipaddress
import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tunesmith.core.section import Section

VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
ADDRESSES = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com/v1"}


def _variable_name(text: str) -> str:
    if not VARIABLE.fullmatch(text):
        # Whatever was written here may be the key itself, so it is not repeated.
        raise PydanticCustomError(
            "secret",
            "give the name of an environment variable, such as OPENAI_API_KEY, never a key",
        )
    return text


def _safe_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.username or parts.password:
        raise PydanticCustomError(
            "secret", "no user or password in the address: use `key_variable`"
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("not an address such as https://host/v1")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("only https keeps the key and the data private; http is for this machine")
    return text.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host's name or address means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class RemoteConfig(Section):
    """A model behind an HTTP endpoint, or the recipe's own base model."""

    protocol: Literal["openai", "anthropic", "local"]
    """`openai`: chat completions, as OpenAI, vLLM, Ollama and many others serve; `anthropic`: the Messages API;
    `local`: the recipe's base model in this process, and nothing leaves the machine."""
    model: str = ""
    """Its name at the endpoint; not needed for `local`."""
    url: Annotated[str, AfterValidator(_safe_address)] | None = None
    """Address up to and with `/v1`; by default the protocol's maker's. http only for this machine."""
    key_variable: Annotated[str, AfterValidator(_variable_name)] | None = None
    """Environment variable that holds the key. The key itself is read when it is used, and never stored."""
    concurrency: PositiveInt = 8
    """Requests under way at once."""
    requests_per_minute: PositiveInt | None = None
    """Never more than this; without it only what the endpoint itself asks for by `Retry-After`."""
    tokens_per_minute: PositiveInt | None = None
    """Prompt and answer together; an answer counts as `max_tokens` until its true length is known."""
    timeout_seconds: PositiveFloat = 120
    """Longest wait for a whole answer."""
    attempts: PositiveInt = 6
    """Tries of one request, with waits that double from one second up to a minute."""
    prompt_price: NonNegativeFloat = 0
    """Price of a million prompt tokens, in any currency."""
    answer_price: NonNegativeFloat = 0
    """Price of a million answer tokens, in the same currency."""
    answer_limit: Literal["max_tokens", "max_completion_tokens"] = Field("max_tokens")
    """What the endpoint calls the limit of an answer; OpenAI's newer models want `max_completion_tokens`."""

    @model_validator(mode="after")
    def _names_a_model(self) -> Self:
        if self.protocol != "local" and not self.model:
            raise ValueError(f"protocol {self.protocol!r} needs `model`")
        return self

    @property
    def address(self) -> str:
        """Where requests go; empty for `local`."""
        return self.url or ADDRESSES.get(self.protocol, "")

    @property
    def has_price(self) -> bool:
        """Whether it is known what an answer costs; the recipe's own model costs nothing."""
        return self.protocol == "local" or bool(self.prompt_price or self.answer_price)

    def cost(self, prompt_tokens: int, answer_tokens: int) -> float:
        """What these tokens cost."""
        return (prompt_tokens * self.prompt_price + answer_tokens * self.answer_price) / 1e6
