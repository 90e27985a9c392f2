"""What a conversation asks, as keys: equal keys must land on the same side of every split."""

from tunesmith.core.conversation import Prompt
from tunesmith.core.text import normalise


def prompt_key(messages: Prompt) -> str:
    """What is asked, system turn aside: equal keys must land on the same side of every split."""
    return "\x1f".join(
        f"{turn.role}\x1e{normalise(turn.content)}" for turn in messages if turn.role != "system"
    )


def prompt_keys(messages: Prompt) -> list[str]:
    """The key of every question that a conversation answers, the opening one first."""
    return [
        prompt_key(messages[:end]) for end, turn in enumerate(messages) if turn.role == "assistant"
    ]
