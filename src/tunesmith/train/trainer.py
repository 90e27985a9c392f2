"""StepTrainer: transformers' Trainer with tunesmith's step in its place; checkpoints and resume stay Trainer's."""

import math
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset
from transformers import Trainer

from tunesmith.errors import DivergedError
from tunesmith.models.template import Encoded
from tunesmith.train.callbacks import VALIDATION_LOSS
from tunesmith.train.cutting import Cutting
from tunesmith.train.divergence import Divergence, LossWatch
from tunesmith.train.sharding import even_groups
from tunesmith.train.step import loss_sum
from tunesmith.train.team import Team

Groups = Sequence[tuple[list[Encoded], float]]
"""Micro-batches, each with its weight: 0 for what is computed only to keep step with the other workers."""


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
        self,
        *,
        pad_id: int,
        token_budget: int,
        on_halved: Callable[[str], None],
        team: Team = Team(),  # noqa: B008  # immutable
        is_sharded: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(data_collator=_only_step, **options)
        # Gradients are added up once a step, after all micro-batches; a wrapper would do it at every backward pass.
        self.accelerator.prepare_model = partial(
            self.accelerator.prepare_model, evaluation_mode=True
        )
        self._pad_id, self._team, self._watch = pad_id, team, LossWatch()
        self._is_sharded = is_sharded
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
            for group, weight in groups:
                loss = loss_sum(model, group, pad_id=self._pad_id) * (weight / trained)
                loss.backward()
                total += loss.detach()
            return total

        loss = self._compute(examples, accumulate, undo=model.zero_grad)
        self._team.add_up_gradients(model.parameters())
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

        def measure(groups: Groups) -> torch.Tensor:
            total = torch.zeros((), dtype=torch.float64, device=self.args.device)
            with torch.no_grad():
                for group, weight in groups:
                    total += loss_sum(self.model, group, pad_id=self._pad_id) * weight
            return total

        total = self._compute(examples, measure)
        return float(total.item()) / sum(example.trained_tokens for example in examples)

    def _compute(
        self,
        examples: Sequence[Encoded],
        work: Callable[[Groups], torch.Tensor],
        undo: Callable[[], None] = lambda: None,
    ) -> torch.Tensor:
        """The sum over all workers of what `work` returns for each one's part of the examples."""
        if self._is_sharded:
            # A worker that cut its part smaller when memory runs out would wait for the others without end.
            budget = self._cutting.token_budget
            part = work(even_groups(examples, self._team, token_budget=budget))
        else:
            part = self._cutting.compute(
                self._team.share(examples),
                lambda groups: work([(group, 1.0) for group in groups]),
                undo=undo,
            )
        return self._team.total(part)

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
                if self._team.is_first:
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
