"""From a section of the recipe to the model that teaches or judges: elsewhere over HTTP, or in this process."""

from pathlib import Path

from tunesmith.engines.anthropic_messages import AnthropicMessages
from tunesmith.engines.endpoint import Endpoint
from tunesmith.engines.openai_compatible import OpenAICompatible
from tunesmith.engines.remote import RemoteEndpoint
from tunesmith.engines.remote_config import RemoteConfig
from tunesmith.models.config import ModelConfig


def open_teacher(config: RemoteConfig, model: ModelConfig, root: Path) -> Endpoint:
    """The endpoint that the section describes; its first model is the one to ask.

    Args:
        config: Protocol, address, limits.
        model: The recipe's base model, for `protocol: local`.
        root: The folder that relative paths start from.

    Raises:
        ModelError: If the local model cannot be loaded.
    """
    if config.protocol == "openai":
        return RemoteEndpoint(config, OpenAICompatible(config.answer_limit))
    if config.protocol == "anthropic":
        return RemoteEndpoint(config, AnthropicMessages())
    from tunesmith.engines.opening import open_endpoint

    return open_endpoint(model, root, [], max_batch=config.concurrency)
