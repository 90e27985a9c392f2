"""TRL's trainers, taking our tokens as they are, remembering the reference's log-probabilities, minding every loss."""

import math
from collections import defaultdict
from typing import Any

import torch
from accelerate.utils import gather_object
from datasets import Dataset, concatenate_datasets
from trl import DPOTrainer, KTOTrainer
from trl.experimental.orpo import ORPOTrainer
from trl.trainer.utils import add_fused_lm_head

from tunesmith.errors import TrainingError

REFERENCE = "ref"
"""What TRL calls the copy it makes of an adapter."""
IGNORED = -100


class _Minded:
    """Counts tokens, and stops where a loss is no number."""

    seen_tokens = 0
    trained_tokens = 0

    def compute_loss(self: Any, model: Any, inputs: Any, *args: Any, **options: Any) -> Any:
        loss = super().compute_loss(model, inputs, *args, **options)  # type: ignore[misc]
        if not math.isfinite(loss.item()):
            raise TrainingError(
                f"the loss became {loss.item()} at step {self.state.global_step + 1}",
                fix="lower train.learning_rate; the last checkpoint is kept",
            )
        if self.model.training:
            counts = self.accelerator.reduce(torch.stack(self._tokens(inputs)))
            self.seen_tokens += int(counts[0])
            self.trained_tokens += int(counts[1])
        return loss

    def _tokens(self, inputs: Any) -> tuple[Any, Any]:
        return inputs["attention_mask"].sum(), inputs["completion_mask"].sum()

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Nothing: an adapter's lineage is in its manifest."""


class _Referenced(_Minded):
    """Measures the reference once, before the first step, on the model itself: no copy is kept of model or adapter."""

    def __init__(self: Any, **options: Any) -> None:
        super().__init__(**options)
        if not self.precompute_ref_logps:
            size = self.args.per_device_train_batch_size
            self.train_dataset = self._precompute_ref_logps(self.train_dataset, "train", size)
            if self.eval_dataset is not None:
                self.eval_dataset = self._precompute_ref_logps(self.eval_dataset, "eval", size)
            self.precompute_ref_logps = True

    def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
        return dataset

    def _precompute_ref_logps(self: Any, dataset: Dataset, name: str, batch_size: int) -> Dataset:
        del name
        if REFERENCE in getattr(self.model, "peft_config", {}):
            self.model.delete_adapter(REFERENCE)
        self.model.eval()
        self.model.to(self.args.device)
        # Named here, the reference is used as it stands: with the adapter that training starts from.
        self.ref_model = self.model
        batches = [
            range(start, min(start + batch_size, len(dataset)))
            for start in range(0, len(dataset), batch_size)
        ]
        mine = list(enumerate(batches))[self.args.process_index :: self.args.world_size]
        measured = [
            (number, self._measured(self.data_collator([dataset[row] for row in batch])))
            for number, batch in mine
        ]
        self.ref_model = None
        columns: defaultdict[str, list[float]] = defaultdict(list)
        for _, values in sorted(gather_object(measured), key=lambda pair: pair[0]):
            for column, numbers in zip(self._columns, values, strict=True):
                columns[column] += numbers
        return concatenate_datasets([dataset, Dataset.from_dict(columns)], axis=1)

    def _measured(self: Any, batch: Any) -> list[list[float]]:
        batch = {key: value.to(self.args.device) for key, value in batch.items()}
        return [part.tolist() for part in self.compute_ref_log_probs(self.model, batch)]


class Dpo(_Referenced, DPOTrainer):  # type: ignore[misc]  # TRL is untyped
    """Direct preference optimization. Source: Rafailov et al. (2023), equation 7."""

    _columns = ("ref_chosen_logps", "ref_rejected_logps")


class Kto(_Referenced, KTOTrainer):  # type: ignore[misc]  # TRL is untyped
    """Kahneman-Tversky optimization. Source: Ethayarajh et al. (2024), equations 7 and 8."""

    _columns = ("ref_logps", "ref_KL_logps")


class Orpo(_Minded, ORPOTrainer):  # type: ignore[misc]  # TRL is untyped
    """Odds ratio preference optimization: imitation of the chosen answer and preference in one loss, no reference.

    Unlike in TRL, the imitated part is the answer alone, as in all our training, and the head runs only there.

    Source: Hong, Lee and Thorne (2024), equations 6 and 7.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        model = self.model
        add_fused_lm_head(
            model.get_base_model() if hasattr(model, "get_base_model") else model,
            outputs=("log_probs", "mean_logits"),
        )

    def tokenize_row(self, feature: dict[str, list[int]], model: Any = None) -> dict[str, Any]:
        """TRL's columns of a pair."""
        del model
        prompt = feature["prompt_ids"]
        columns: dict[str, list[int]] = {
            "prompt_input_ids": prompt,
            "prompt_attention_mask": [1] * len(prompt),
        }
        for side in ("chosen", "rejected"):
            answer = feature[f"{side}_ids"]
            columns[f"{side}_input_ids"] = prompt + answer
            columns[f"{side}_attention_mask"] = [1] * (len(prompt) + len(answer))
            columns[f"{side}_labels"] = [IGNORED] * len(prompt) + answer
        return columns

    def concatenated_forward(self, model: Any, batch: Any) -> tuple[torch.Tensor, ...]:
        """Mean log-probability a token of chosen and rejected answers, mean logits of both, loss of the chosen."""
        rows = self.concatenated_inputs(
            batch, padding_value=self.padding_value, device=self.accelerator.device
        )
        labels = rows["concatenated_labels"]
        out = model(
            input_ids=rows["concatenated_input_ids"],
            attention_mask=rows["concatenated_attention_mask"],
            labels=labels,
            fused_lm_head=True,
        )
        counts = (labels[:, 1:] != IGNORED).sum(1)
        sums = out.log_probs.sum(1)
        half = len(counts) // 2
        means = sums / counts
        imitation = -sums[:half].sum() / counts[:half].sum()
        logits = out.mean_logits
        return means[:half], means[half:], logits[:half], logits[half:], imitation

    def _tokens(self, inputs: Any) -> tuple[Any, Any]:
        sides = ("chosen", "rejected")
        seen = sum(inputs[f"{side}_attention_mask"].sum() for side in sides)
        return seen, sum((inputs[f"{side}_labels"] != IGNORED).sum() for side in sides)
