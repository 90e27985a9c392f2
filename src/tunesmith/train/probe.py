"""A probe: an adapter trained for a few steps and kept in memory alone, which says how likely it finds rows."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from tunesmith.core.conversation import Example, Prompt
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import LoadedModel, device_name
from tunesmith.models.reference import resolve
from tunesmith.models.template import Encoded
from tunesmith.train.adapters import make_trainable
from tunesmith.train.base import load_frozen
from tunesmith.train.batches import schedule
from tunesmith.train.config import TrainConfig
from tunesmith.train.cutting import Cutting, Groups
from tunesmith.train.fitting import BEST_TOKENS
from tunesmith.train.head import logits_of
from tunesmith.train.loss import PIECE_BYTES
from tunesmith.train.step import States, answer_states, loss_sum, whole_model

OnDone = Callable[[int], None]
"""Told how many more rows are done."""
SHOWN_TOKENS = 12
"""Of an answer, before the token in question."""


class Token(NamedTuple):
    """The place of an answer that the model objects to most."""

    before: str
    """The answer up to there, its last tokens."""
    given: str
    """What the row says."""
    expected: str
    """What the model would have said."""
    given_chance: float
    expected_chance: float


class Scored(NamedTuple):
    """How likely a model finds an answer."""

    loss: float
    """Mean over its tokens, in nats."""
    worst: Token


class Probe:
    """A base model with a fresh adapter, which `learn` trains."""

    def __init__(self, config: TrainConfig, model: ModelConfig, root: Path) -> None:
        """Load the base.

        Args:
            config: The recipe's `train:` section; what it says of the adapter and the learning rate holds here too.
            model: The recipe's `model:` section.
            root: The workspace, which a path in it is relative to.
        """
        self.config = probe_settings(config)
        self._base: LoadedModel = load_frozen(self.config, model, resolve(model, root))
        self._model = make_trainable(self._base.model, self.config)
        self._whole = whole_model(self._model)
        self._pad_id = self._base.template.pad_id()
        self._cutting = Cutting(BEST_TOKENS[device_name()], lambda _: None)

    def learn(self, rows: Sequence[Example], *, steps: int, on_done: OnDone) -> None:
        """Train for so many optimizer steps, at most one epoch; each row is seen once."""
        config = self.config
        parameters = [each for each in self._model.parameters() if each.requires_grad]
        optimizer = torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=0.0)
        chosen = schedule(len(rows), batch_size=config.batch_size, epochs=1, seed=config.seed)
        chosen = chosen[:steps]
        self._model.train()
        for number, positions in enumerate(chosen):
            for group in optimizer.param_groups:
                group["lr"] = config.learning_rate * _share(number, len(chosen))
            self._gradients(self._encoded([rows[position].messages for position in positions]))
            torch.nn.utils.clip_grad_norm_(parameters, config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()
            on_done(len(positions))
        self._model.eval()

    def score(self, rows: Sequence[Prompt], *, on_done: OnDone) -> list[Scored]:
        """How likely the model finds the last answer of each conversation, in their order."""
        encoded = [_last_answer(row) for row in self._encoded(rows)]
        position = {id(row): place for place, row in enumerate(encoded)}
        found: list[Scored | None] = [None] * len(encoded)

        def measure(groups: Groups) -> None:
            for group in groups:
                with torch.no_grad():
                    states = answer_states(self._whole, group, pad_id=self._pad_id)
                    for row, scored in zip(states.rows, self._scored(states), strict=True):
                        found[position[id(row)]] = scored
                on_done(len(group))

        self._model.eval()
        self._cutting.compute(encoded, measure)
        return [scored for scored in found if scored is not None]

    def forget(self) -> None:
        """Make the model the base again: an adapter whose second matrix is zero adds nothing."""
        with torch.no_grad():
            for name, parameter in self._model.named_parameters():
                if parameter.requires_grad and "lora_B" in name:
                    parameter.zero_()

    def _encoded(self, rows: Sequence[Prompt]) -> list[Encoded]:
        limit = self.config.sequence_length
        encoded = [self._base.template.encode_example(row) for row in rows]
        return [Encoded(row.ids[:limit], row.is_trained[:limit]) for row in encoded]

    def _gradients(self, examples: Sequence[Encoded]) -> None:
        trained = max(1, sum(example.trained_tokens for example in examples))

        def accumulate(groups: Groups) -> None:
            for group in groups:
                (loss_sum(self._model, group, pad_id=self._pad_id) / trained).backward()

        self._cutting.compute(examples, accumulate, undo=self._model.zero_grad)

    def _scored(self, states: States) -> list[Scored]:
        losses, gaps, best = self._objections(states)
        scored, start = [], 0
        for row in states.rows:
            count = sum(row.is_trained[1:])
            if not count:
                scored.append(Scored(0.0, Token("", "", "", 1.0, 1.0)))
                continue
            mine = slice(start, start + count)
            worst = start + int(gaps[mine].argmax())
            said = states.targets[max(start, worst - SHOWN_TOKENS) : worst].tolist()
            tokens = said, [int(states.targets[worst])], [int(best[worst])]
            before, given, expected = map(self._base.template.tokenizer.decode, tokens)
            loss = float(losses[worst])
            chances = float(torch.exp(-losses[worst])), float(torch.exp(gaps[worst] - loss))
            scored.append(
                Scored(float(losses[mine].mean()), Token(before, given, expected, *chances))
            )
            start += count
        return scored

    def _objections(self, states: States) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """For each trained token its loss, how much likelier the likeliest one is in nats, and which that is."""
        vocabulary = self._whole.get_output_embeddings().weight.shape[0]
        rows = max(1, PIECE_BYTES // (4 * vocabulary))
        parts = []
        for start in range(0, len(states.targets), rows):
            logits = logits_of(self._whole, states.hidden[start : start + rows]).float()
            own = logits.gather(1, states.targets[start : start + rows, None])[:, 0]
            largest, best = logits.max(1)
            parts.append((logits.logsumexp(1) - own, largest - own, best))
        losses, gaps, best = (torch.cat(part).cpu() for part in zip(*parts, strict=True))
        return losses, gaps, best


def probe_settings(config: TrainConfig) -> TrainConfig:
    """The settings of a probe: a new plain adapter that imitates, trained as the recipe trains."""
    return config.model_copy(
        update={
            "objective": "sft",
            "beta": None,
            "method": "lora" if config.method == "full" else config.method,
            "variant": "lora",
            "init": "default",
            "continue_from": None,
            "workers": 1,
            "sharding": "none",
        }
    )


def _last_answer(row: Encoded) -> Encoded:
    """The same with nothing trained but the last answer."""
    end = len(row.ids) - row.is_trained[::-1].index(True) if any(row.is_trained) else 0
    start = end
    while start and row.is_trained[start - 1]:
        start -= 1
    return Encoded(row.ids, [start <= place < end for place in range(len(row.ids))])


def _share(step: int, steps: int) -> float:
    """Of the peak learning rate: up over a twentieth of the steps, then down in a line to a twentieth of it."""
    rising = max(1, steps // 20)
    return min(1.0, (step + 1) / rising) * max(0.05, 1 - step / steps)
