"""The largest micro-batches that a run computes, and how one is computed without the run around it."""

import tempfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tunesmith.models.loading import device_name
from tunesmith.models.template import Encoded
from tunesmith.train.batches import micro_batches, schedule
from tunesmith.train.config import TrainConfig
from tunesmith.train.material import Material
from tunesmith.train.preference import micro_batch_size, preference_trainer
from tunesmith.train.step import loss_sum
from tunesmith.train.team import Team
from tunesmith.train.verdict_rows import EncodedVerdicts, Row, sequences


class MicroBatch(NamedTuple):
    """What is computed at once."""

    examples: tuple[Encoded, ...]
    """The sequences that the model sees."""
    rows: tuple[Row, ...] = ()
    """The verdicts they come from, in preference tuning."""

    @property
    def tokens(self) -> int:
        """Real tokens, without padding."""
        return sum(len(example.ids) for example in self.examples)

    @property
    def shape(self) -> tuple[tuple[int, ...], ...]:
        """What tells it from others: all its tokens."""
        return tuple(tuple(example.ids) for example in self.examples)

    def within(self, tokens: int) -> "MicroBatch":
        """Its first rows that hold no more than so many tokens; at least one (of `kto`, which compares rows, two)."""
        if not self.rows:
            kept = [self.examples[0]]
            for example in self.examples[1:]:
                if sum(len(each.ids) for each in kept) + len(example.ids) > tokens:
                    break
                kept.append(example)
            return MicroBatch(tuple(kept))
        count = min(len(self.rows), 2)
        while count < len(self.rows) and of_rows(self.rows[: count + 1]).tokens <= tokens:
            count += 1
        return of_rows(self.rows[:count])

    def loss_on(self, model: Any, config: TrainConfig, material: Material) -> Callable[[], Any]:
        """What computes this micro-batch's loss on a model with its trainable parameters chosen, as the run does."""
        if not self.rows:
            return lambda: loss_sum(model, self.examples, pad_id=0)
        with tempfile.TemporaryDirectory() as folder:
            trainer = preference_trainer(
                config.model_copy(update={"batch_size": len(self.rows), "workers": 1}),
                model,
                (EncodedVerdicts(list(self.rows), [], []), EncodedVerdicts([], [], [])),
                token_budget=10**9,
                arguments={
                    "output_dir": folder,
                    "report_to": "none",
                    "disable_tqdm": True,
                    "remove_unused_columns": False,
                    "use_cpu": device_name() == "cpu",
                },
                processing_class=material.template.tokenizer,
            )
            (batch,) = trainer.get_train_dataloader()
        model.train()
        return lambda: trainer.compute_loss(model, batch)


def of_rows(rows: tuple[Row, ...]) -> MicroBatch:
    """The micro-batch of these verdicts."""
    return MicroBatch(tuple(sequences(rows)), rows)


def largest(config: TrainConfig, material: Material, *, token_budget: int) -> list[MicroBatch]:
    """One of the micro-batches of a worker takes the most memory: that of most tokens, or that of most attention.

    Attention grows with the square of a row's length, everything else with the tokens.
    """
    if material.verdicts:
        return [_longest_verdicts(config, material.verdicts[0], token_budget)]
    groups = list(_groups(config, material.train.examples, token_budget))
    by_tokens = max(groups, key=lambda group: sum(len(example.ids) for example in group))
    by_attention = max(groups, key=lambda group: sum(len(example.ids) ** 2 for example in group))
    found = [MicroBatch(tuple(by_tokens))]
    return found if by_tokens is by_attention else [*found, MicroBatch(tuple(by_attention))]


def _groups(
    config: TrainConfig, examples: list[Encoded], token_budget: int
) -> Iterator[list[Encoded]]:
    short = [each for each in examples if len(each.ids) <= config.sequence_length] or examples[:1]
    steps = schedule(
        len(short), batch_size=config.batch_size, epochs=config.epochs, seed=config.seed
    )
    for step in steps:
        for rank in range(config.workers):
            share = Team(rank, config.workers).share([short[place] for place in step])
            yield from micro_batches(share, token_budget=token_budget)


def _longest_verdicts(
    config: TrainConfig, verdicts: EncodedVerdicts, token_budget: int
) -> MicroBatch:
    # TRL cuts a shuffled order into equal numbers of rows: any of them may come together.
    size = micro_batch_size(config, verdicts, token_budget=token_budget)
    rows = [row for row in verdicts.rows if _longest([row]) <= config.sequence_length]
    rows = sorted(rows or verdicts.rows, key=lambda row: _longest([row]), reverse=True)
    return of_rows(tuple(rows[:size]))


def _longest(rows: list[Row]) -> int:
    return max(len(sequence.ids) for sequence in sequences(rows))
