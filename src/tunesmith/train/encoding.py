"""Examples to tokens: every answer trained, too long ones set aside and counted."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tunesmith.core.conversation import Example, Prompt
from tunesmith.core.progress import track
from tunesmith.errors import DataError
from tunesmith.models.template import ChatTemplate, Encoded

AT_ONCE = 256
"""Conversations that the tokenizer gets in one call: enough for all cores, and their working memory stays small."""
SHOWN_FROM = 5_000
"""Conversations from which encoding takes longer than a few seconds, and shows how far it is."""


class EncodedSplit(NamedTuple):
    """One split in tokens."""

    examples: list[Encoded]
    too_long: list[Example]
    """Left out, because cutting an answer would teach the model to stop in the middle."""

    @property
    def tokens(self) -> int:
        """Real tokens in all examples."""
        return sum(len(example.ids) for example in self.examples)

    @property
    def trained_tokens(self) -> int:
        """Tokens that carry loss."""
        return sum(example.trained_tokens for example in self.examples)


def encode(
    template: ChatTemplate,
    examples: Sequence[Example],
    *,
    sequence_length: int,
    is_quiet: bool = False,
) -> EncodedSplit:
    """All examples in tokens, in their order.

    Raises:
        DataError: If every example is longer than `sequence_length`.
    """
    conversations = [example.messages for example in examples]
    kept: list[Encoded] = []
    too_long: list[Example] = []
    encoded = in_batches(template.encode_examples, conversations, is_quiet=is_quiet)
    for example, tokens in zip(examples, encoded, strict=True):
        if len(tokens.ids) <= sequence_length:
            kept.append(tokens)
        else:
            too_long.append(example)
    if examples and not kept:
        raise DataError(
            f"all {len(examples)} examples are longer than {sequence_length} tokens",
            fix="raise train.sequence_length or shorten the examples",
        )
    return EncodedSplit(kept, too_long)


def in_batches(
    encode_some: Callable[[Sequence[Prompt]], list[Encoded]],
    conversations: Sequence[Prompt],
    *,
    is_quiet: bool = False,
) -> list[Encoded]:
    """What `encode_some` makes of the conversations, some hundreds at a time."""
    encoded: list[Encoded] = []
    is_quiet = is_quiet or len(conversations) < SHOWN_FROM
    with track("tokens", len(conversations), is_quiet=is_quiet) as progress:
        for start in range(0, len(conversations), AT_ONCE):
            found = encode_some(conversations[start : start + AT_ONCE])
            encoded += found
            progress.advance(len(found))
    return encoded
