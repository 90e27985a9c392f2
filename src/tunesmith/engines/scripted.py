"""ScriptedEndpoint: answers by a function; ships for dry runs and for testing what stands before an engine."""

from collections.abc import AsyncIterator, Callable, Sequence

from tunesmith.engines.endpoint import Completion, Delta, Generation
from tunesmith.errors import UnknownNameError

Script = Callable[[Generation], str]


class ScriptedEndpoint:
    """Implements `Endpoint`; a word counts as a token, no model is asked."""

    def __init__(self, script: Script, models: Sequence[str]) -> None:
        """Answer with `script(request)` for every one of `models`; what it raises, the request raises."""
        self._script, self._models = script, list(models)
        self.requests: list[Generation] = []
        """Everything asked so far."""

    def models(self) -> list[str]:
        """The names given."""
        return self._models

    async def complete(self, request: Generation) -> Completion:
        """The script's answer, cut at `max_tokens` words."""
        pieces = [delta async for delta in self.stream(request)]
        last = pieces[-1]
        text = "".join(delta.text for delta in pieces)
        return Completion(
            text, last.finish_reason or "stop", last.prompt_tokens, last.completion_tokens, 0.0
        )

    async def stream(self, request: Generation) -> AsyncIterator[Delta]:
        """The script's answer word by word."""
        if request.model not in self._models:
            raise UnknownNameError("model", request.model, self._models)
        self.requests.append(request)
        words = self._script(request).split(" ")
        asked = len(" ".join([*(turn.content for turn in request.messages), request.text]).split())
        kept = words[: request.max_tokens]
        for count, word in enumerate(kept, 1):
            yield Delta(word if count == 1 else f" {word}", None, asked, count)
        yield Delta("", "stop" if len(kept) == len(words) else "length", asked, len(kept))

    async def close(self) -> None:
        """Nothing to free."""
