"""Examples to tokens: every answer trained, too long ones set aside and counted."""

from collections.abc import Sequence
from typing import NamedTuple

from tunesmith.core.conversation import Example
from tunesmith.errors import DataError
from tunesmith.models.template import ChatTemplate, Encoded


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
    template: ChatTemplate, examples: Sequence[Example], *, sequence_length: int
) -> EncodedSplit:
    """All examples in tokens, in their order.

    Raises:
        DataError: If every example is longer than `sequence_length`.
    """
    kept: list[Encoded] = []
    too_long: list[Example] = []
    for example in examples:
        encoded = template.encode_example(example.messages)
        if len(encoded.ids) <= sequence_length:
            kept.append(encoded)
        else:
            too_long.append(example)
    if examples and not kept:
        raise DataError(
            f"all {len(examples)} examples are longer than {sequence_length} tokens",
            fix="raise train.sequence_length or shorten the examples",
        )
    return EncodedSplit(kept, too_long)
