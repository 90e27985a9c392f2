"""StepTrainer: transformers' Trainer with tunesmith's step in its place; checkpoints and resume stay Trainer's."""

import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset
from transformers import Trainer

from tunesmith.errors import DivergedError
from tunesmith.models.template import Encoded
from tunesmith.train.callbacks import VALIDATION_LOSS
from tunesmith.train.cutting import Cutting, Groups
from tunesmith.train.divergence import Divergence, LossWatch
from tunesmith.train.step import loss_sum


class Steps(Dataset[list[Encoded]]):  # type: ignore[misc]  # torch is untyped
    """The examples of every optimizer step, in order."""

    def __init__(
        self,
        examples: Sequence[Encoded],
        steps: Sequence[Sequence[int]],
        sources: Sequence[str] = (),
    ) -> None:
        """Cut examples into steps.

        Args:
            examples: All of a split.
            steps: For every step the positions of its examples.
            sources: Where each example was read, as `file:line`.
        """
        self._examples, self._steps, self._sources = examples, steps, sources

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, index: int) -> list[Encoded]:
        return [self._examples[position] for position in self._steps[index]]

    def rows(self, index: int) -> list[str]:
        """Where the examples of a step were read."""
        return [
            (self._sources[position] if self._sources else "") or f"example {position + 1}"
            for position in self._steps[index]
        ]


class StepTrainer(Trainer):  # type: ignore[misc]  # transformers is untyped
    """One item of the data loader is one optimizer step; it is cut into micro-batches here.

    The loss of a step is the mean over its trained tokens, so cutting changes memory and speed, never the result.
    """

    def __init__(
        self, *, pad_id: int, token_budget: int, on_halved: Callable[[str], None], **options: Any
    ) -> None:
        super().__init__(data_collator=_only_step, **options)
        self._pad_id, self._watch = pad_id, LossWatch()
        self._cutting = Cutting(
            token_budget, lambda text: on_halved(f"step {self._step_number}: {text}")
        )
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
            DivergedError: If the loss is not a number, or ran away.
            OutOfMemoryError: If memory runs out with single examples.
        """
        del num_items_in_batch
        model.train()
        examples: list[Encoded] = inputs["examples"]
        trained = sum(example.trained_tokens for example in examples)

        def accumulate(groups: Groups) -> torch.Tensor:
            total = torch.zeros((), device=self.args.device)
            for group in groups:
                loss = loss_sum(model, group, pad_id=self._pad_id) / trained
                loss.backward()
                total += loss.detach()
            return total

        loss = self._cutting.compute(examples, accumulate, undo=model.zero_grad)
        if divergence := self._watch.check(self._step_number, loss.item()):
            self._stop(divergence)
        self.trained_tokens += trained
        self.seen_tokens += sum(len(example.ids) for example in examples)
        return loss

    def _clip_grad_norm(self, model: Any) -> Any:
        norm = super()._clip_grad_norm(model)
        if not math.isfinite(float(norm)):
            self._stop(
                Divergence(f"the gradient norm became {float(norm)}", since=self._step_number + 1)
            )
        return norm

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

        def measure(groups: Groups) -> float:
            with torch.no_grad():
                losses = [loss_sum(self.model, group, pad_id=self._pad_id) for group in groups]
                return float(sum(loss.item() for loss in losses))

        total = self._cutting.compute(examples, measure)
        return total / sum(example.trained_tokens for example in examples)

    @property
    def _step_number(self) -> int:
        """The step that is being computed, counted from 1."""
        return int(self.state.global_step) + 1

    def _stop(self, divergence: Divergence) -> None:
        """Throw away the checkpoints whose weights gave a bad loss, and raise with the last good one."""
        good = None
        for folder in sorted(
            Path(self.args.output_dir).glob("checkpoint-*"), key=_step_of, reverse=True
        ):
            # The loss of a step is that of the weights before it.
            if _step_of(folder) >= divergence.since - 1:
                shutil.rmtree(folder)
            else:
                good = good or folder
        raise DivergedError(
            divergence.what,
            step=self._step_number,
            rows=self.train_dataset.rows(self._step_number - 1),
            checkpoint=str(good) if good else None,
        )


def _step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _only_step(items: list[list[Encoded]]) -> dict[str, list[Encoded]]:
    return {"examples": items[0]}
