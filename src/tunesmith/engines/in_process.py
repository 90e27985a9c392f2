"""InProcessEngine: one copy of the base in this process, every adapter by name, all requests batched together."""

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.engines.answer_text import AnswerText
from tunesmith.engines.decoding import BASE_ROW, Batch, Row
from tunesmith.engines.endpoint import Completion, Delta, Generation
from tunesmith.errors import ModelError, RequestTooLargeError, UnknownNameError
from tunesmith.models.adapters import with_adapter
from tunesmith.models.loading import LoadedModel


class InProcessEngine:
    """Answers with transformers in a thread of its own; implements `Endpoint`.

    A request's greedy answer does not depend on the requests that share its batch, up to float32 rounding.
    """

    def __init__(
        self,
        base: LoadedModel,
        base_name: str,
        adapters: Mapping[str, Path] | None = None,
        *,
        max_batch: int = 32,
    ) -> None:
        """Load the adapters over the base and start the thread.

        Args:
            base: The base model; float32 keeps answers independent of their batch.
            base_name: The name that asks for the base without an adapter.
            adapters: Model name -> folder in peft format (safetensors only).
            max_batch: Rows decoded together; further requests wait.

        Raises:
            ModelError: If an adapter does not fit the base.
        """
        self._template = base.template
        self._rows_of = {base_name: BASE_ROW}
        model = base.model
        for index, (name, folder) in enumerate((adapters or {}).items()):
            model = with_adapter(model, folder, name=f"adapter_{index}")
            self._rows_of[name] = f"adapter_{index}"
        self.model: Any = model.eval()
        self._limit = getattr(base.model.config, "max_position_embeddings", 2**31)
        self._batch = Batch(self.model, base.template.end_ids, base.template.pad_id())
        self._max_batch = max_batch
        self._waiting: queue.SimpleQueue[Row | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="tunesmith-engine", daemon=True)
        self._thread.start()

    def models(self) -> list[str]:
        """The base's name, then the adapters'."""
        return list(self._rows_of)

    async def complete(self, request: Generation) -> Completion:
        """The whole answer; see `Endpoint.complete`."""
        started = time.monotonic()
        pieces: list[str] = []
        async for delta in self.stream(request):
            pieces.append(delta.text)
            last = delta
        return Completion(
            "".join(pieces),
            last.finish_reason or "stop",
            last.prompt_tokens,
            last.completion_tokens,
            time.monotonic() - started,
        )

    async def stream(self, request: Generation) -> AsyncIterator[Delta]:
        """The answer piece by piece; leaving the iteration early takes the request out of the batch."""
        loop = asyncio.get_running_loop()
        arrived: asyncio.Queue[Delta | BaseException] = asyncio.Queue()

        def emit(item: Delta | BaseException) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(arrived.put_nowait, item)

        row = self._row(request, emit)
        self._waiting.put(row)
        try:
            while True:
                item = await arrived.get()
                if isinstance(item, BaseException):
                    raise item
                yield item
                if item.finish_reason:
                    return
        finally:
            row.is_cancelled = True

    async def close(self) -> None:
        """End the thread; requests under way fail."""
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def _row(self, request: Generation, emit: Any) -> Row:
        if request.model not in self._rows_of:
            raise UnknownNameError("model", request.model, self._rows_of)
        prompt = (
            self._template.encode_prompt(request.messages)
            if request.messages
            else self._template.encode_text(request.text)
        )
        wanted = len(prompt) + request.max_tokens
        if wanted > self._limit:
            raise RequestTooLargeError(
                "prompt and answer together", size=wanted, limit=self._limit, unit="tokens"
            )
        text = AnswerText(self._template.tokenizer, request.stop)
        ids = prompt or [self._template.pad_id()]
        return Row(request, self._rows_of[request.model], ids, text, emit)

    def _work(self) -> None:
        while True:
            arrived = self._arrivals()
            if arrived is None:
                self._batch.fail(ModelError("the engine was closed", fix="start it again"))
                return
            try:
                if arrived:
                    self._batch.join(arrived)
                if self._batch.rows:
                    self._batch.step()
            except Exception as error:  # noqa: BLE001  # the boundary: a failed step fails its rows, not the engine
                for row in arrived:
                    row.emit(error)
                self._batch.fail(error)

    def _arrivals(self) -> list[Row] | None:
        rows: list[Row] = []
        while len(self._batch.rows) + len(rows) < self._max_batch:
            try:
                row = self._waiting.get(block=not (self._batch.rows or rows))
            except queue.Empty:
                break
            if row is None:
                for other in rows:
                    other.emit(ModelError("the engine was closed", fix="start it again"))
                return None
            if not row.is_cancelled:
                rows.append(row)
        return rows
