"""From tokens to text as they come: whole characters only, and nothing of a stop string."""

from collections.abc import Sequence
from typing import Any

REPLACEMENT = "\ufffd"
"""What a decoder shows for a character whose bytes are not complete yet."""


class AnswerText:
    """The text of one answer while it grows; released pieces are never taken back."""

    def __init__(self, tokenizer: Any, stops: Sequence[str]) -> None:
        self._tokenizer, self._stops = tokenizer, [stop for stop in stops if stop]
        self._released = 0
        self._text = ""
        self.is_stopped = False
        """Whether a stop string has been reached."""

    def grow(self, ids: Sequence[int]) -> str:
        """The text that can be released now that the answer is `ids`."""
        self._text = self._tokenizer.decode(
            ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        found = [place for stop in self._stops if (place := self._text.find(stop)) >= 0]
        if found:
            self.is_stopped = True
            self._text = self._text[: min(found)]
            return self._release(len(self._text))
        return self._release(len(self._text) - self._held_back())

    def finish(self) -> str:
        """Whatever was held back and may be released now that nothing follows."""
        return self._release(len(self._text))

    def _release(self, end: int) -> str:
        piece = self._text[self._released : end]
        self._released = max(self._released, end)
        return piece

    def _held_back(self) -> int:
        if self._text.endswith(REPLACEMENT):
            return len(self._text) - self._released
        beginnings = (stop[:size] for stop in self._stops for size in range(1, len(stop)))
        return max((len(start) for start in beginnings if self._text.endswith(start)), default=0)
