"""StepTrainer: transformers' Trainer with tunesmith's step in its place; checkpoints and resume stay Trainer's."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset
from transformers import Trainer

from tunesmith.errors import TrainingError
from tunesmith.models.template import Encoded
from tunesmith.train.batches import micro_batches
from tunesmith.train.step import loss_sum

VALIDATION_LOSS = "eval_loss"


class Steps(Dataset[list[Encoded]]):  # type: ignore[misc]  # torch is untyped
    """The examples of every optimizer step, in order."""

    def __init__(self, examples: Sequence[Encoded], steps: Sequence[Sequence[int]]) -> None:
        self._examples, self._steps = examples, steps

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, index: int) -> list[Encoded]:
        return [self._examples[position] for position in self._steps[index]]


class StepTrainer(Trainer):  # type: ignore[misc]  # transformers is untyped
    """One item of the data loader is one optimizer step; it is cut into micro-batches here.

    The loss of a step is the mean over its trained tokens, so cutting changes memory and speed, never the result.
    """

    def __init__(self, *, pad_id: int, token_budget: int, **options: Any) -> None:
        super().__init__(data_collator=_only_step, **options)
        self._pad_id, self._token_budget = pad_id, token_budget
        self.seen_tokens = 0
        self.trained_tokens = 0

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Steps in their fixed order."""
        return DataLoader(self.train_dataset, batch_size=1, shuffle=False, collate_fn=_only_step)

    def training_step(
        self, model: Any, inputs: Any, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Gradients of the mean loss per trained token; returns that loss.

        Raises:
            TrainingError: If the loss is not a number.
        """
        del num_items_in_batch
        model.train()
        examples: list[Encoded] = inputs["examples"]
        trained = sum(example.trained_tokens for example in examples)
        total = torch.zeros((), device=self.args.device)
        for group in micro_batches(examples, token_budget=self._token_budget):
            loss = loss_sum(model, group, pad_id=self._pad_id) / trained
            loss.backward()
            total += loss.detach()
        if not math.isfinite(total.item()):
            raise TrainingError(
                f"the loss became {total.item()} at step {self.state.global_step + 1}",
                fix="lower train.learning_rate; the last checkpoint is kept",
            )
        self.trained_tokens += trained
        self.seen_tokens += sum(len(example.ids) for example in examples)
        return total

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Mean loss per trained token over the validation examples."""
        metrics = {VALIDATION_LOSS: self.mean_loss(self.eval_dataset)}
        self.log(metrics)
        self.control: Any = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def mean_loss(self, examples: Sequence[Encoded]) -> float:
        """Mean loss per trained token, in nats."""
        self.model.eval()
        with torch.no_grad():
            total = sum(
                loss_sum(self.model, group, pad_id=self._pad_id).item()
                for group in micro_batches(examples, token_budget=self._token_budget)
            )
        return float(total / sum(example.trained_tokens for example in examples))


def _only_step(items: list[list[Encoded]]) -> dict[str, list[Encoded]]:
    return {"examples": items[0]}
