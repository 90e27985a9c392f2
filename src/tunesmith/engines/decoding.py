"""Continuous batching: rows of different models and lengths decoded together, joining and leaving between steps.

Legend: B rows, W width of the cache in tokens, V vocabulary size. Rows are aligned at their right end; a row of
length L occupies the last L of the W columns, and the columns before it are masked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from tunesmith.engines.answer_text import AnswerText
from tunesmith.engines.endpoint import Delta, FinishReason, Generation

BASE_ROW = "__base__"
"""peft's name for a row that no adapter touches."""


@dataclass(eq=False)
class Row:
    """One answer in the making."""

    request: Generation
    adapter: str
    prompt: list[int]
    text: AnswerText
    emit: Callable[[Delta | BaseException], None]
    ids: list[int] = field(default_factory=list)
    is_cancelled: bool = False
    generator: torch.Generator | None = None

    @property
    def length(self) -> int:
        """Tokens whose keys and values the cache holds: all but the newest."""
        return len(self.prompt) + len(self.ids) - 1


class Batch:
    """The rows under way and their keys and values."""

    def __init__(self, model: Any, end_ids: frozenset[int], pad_id: int) -> None:
        self._model, self._end_ids, self._pad_id = model, end_ids, pad_id
        self._is_adapted = hasattr(model, "peft_config")
        self.rows: list[Row] = []
        self._layers: list[tuple[torch.Tensor, torch.Tensor]] = []

    @torch.inference_mode()  # type: ignore[untyped-decorator]  # torch is untyped
    def join(self, rows: Sequence[Row]) -> None:
        """Compute the prompts of new rows together, give each its first token, and add them to the batch."""
        width = max(len(row.prompt) for row in rows)
        ids = [[self._pad_id] * (width - len(row.prompt)) + row.prompt for row in rows]
        lengths = [len(row.prompt) for row in rows]
        logits, layers = self._forward(rows, ids, lengths, None)
        if self.rows:
            layers = [
                (_stack(old_keys, keys), _stack(old_values, values))
                for (old_keys, old_values), (keys, values) in zip(self._layers, layers, strict=True)
            ]
        self._layers = layers
        self.rows = [*self.rows, *rows]
        self._take(rows, logits)
        self._drop_finished()

    @torch.inference_mode()  # type: ignore[untyped-decorator]  # torch is untyped
    def step(self) -> None:
        """One more token for every row."""
        ids = [[row.ids[-1]] for row in self.rows]
        lengths = [row.length + 1 for row in self.rows]
        logits, self._layers = self._forward(self.rows, ids, lengths, self._layers)
        self._take(self.rows, logits)
        self._drop_finished()

    def fail(self, error: BaseException) -> None:
        """Tell every row that it will get no answer, and forget them."""
        for row in self.rows:
            row.emit(error)
        self.rows, self._layers = [], []

    def _forward(
        self,
        rows: Sequence[Row],
        ids: list[list[int]],
        lengths: list[int],
        layers: list[tuple[torch.Tensor, torch.Tensor]] | None,
    ) -> tuple[torch.Tensor, list[tuple[torch.Tensor, torch.Tensor]]]:
        from transformers import DynamicCache

        cache = DynamicCache()
        for index, (keys, values) in enumerate(layers or []):
            cache.update(keys, values, index)
        new = len(ids[0])
        width = new + (layers[0][0].shape[2] if layers else 0)
        device = self._model.device
        ends = torch.tensor(lengths, device=device)[:, None]
        columns = torch.arange(width, device=device)[None, :]
        mask = (columns >= width - ends).long()
        positions = (columns[:, width - new :] - (width - ends)).clamp(min=0)
        options = {"adapter_names": [row.adapter for row in rows]} if self._is_adapted else {}
        out = self._model(
            input_ids=torch.tensor(ids, device=device),
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
            **options,
        )
        return out.logits[:, -1].float(), [(layer.keys, layer.values) for layer in cache.layers]

    def _take(self, rows: Sequence[Row], logits: torch.Tensor) -> None:
        likeliest = logits.argmax(dim=-1).tolist()
        for index, row in enumerate(rows):
            greedy = row.request.temperature == 0
            token = likeliest[index] if greedy else _draw(logits[index], row)
            row.ids.append(token)
            self._emit(row, token)

    def _emit(self, row: Row, token: int) -> None:
        reason: FinishReason | None = None
        if token in self._end_ids:
            piece, reason = row.text.finish(), "stop"
        else:
            piece = row.text.grow(row.ids)
            if row.text.is_stopped:
                reason = "stop"
            elif len(row.ids) >= row.request.max_tokens:
                piece, reason = piece + row.text.finish(), "length"
        row.emit(Delta(piece, reason, len(row.prompt), len(row.ids)))
        row.is_cancelled = row.is_cancelled or reason is not None

    def _drop_finished(self) -> None:
        kept = [index for index, row in enumerate(self.rows) if not row.is_cancelled]
        if len(kept) == len(self.rows):
            return
        self.rows = [self.rows[index] for index in kept]
        if not kept:
            self._layers = []
            return
        width = max(row.length for row in self.rows)
        chosen = torch.tensor(kept, device=self._model.device)
        self._layers = [
            (keys[chosen, :, -width:], values[chosen, :, -width:]) for keys, values in self._layers
        ]


def _stack(upper: torch.Tensor, lower: torch.Tensor) -> torch.Tensor:
    # Both aligned at the right; the narrower one gets masked columns on its left.
    width = max(upper.shape[2], lower.shape[2])
    padded = [
        torch.nn.functional.pad(part, (0, 0, width - part.shape[2], 0)) for part in (upper, lower)
    ]
    return torch.cat(padded, dim=0)


def _draw(logits: torch.Tensor, row: Row) -> int:
    # Nucleus sampling: Holtzman et al. (2020), The Curious Case of Neural Text Degeneration, section 3.1.
    if row.generator is None:
        row.generator = torch.Generator(device=logits.device).manual_seed(row.request.seed)
    probabilities, order = (logits / row.request.temperature).softmax(-1).sort(descending=True)
    before = probabilities.cumsum(-1) - probabilities
    probabilities[before >= row.request.top_p] = 0.0
    return int(order[torch.multinomial(probabilities, 1, generator=row.generator)])
