"""Preference tuning: DPO, ORPO and KTO from TRL, fed with our tokens, against the model as it was before."""

import random
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from tunesmith.errors import MissingDependencyError
from tunesmith.models.calling_peft import calling_peft
from tunesmith.train.config import TrainConfig
from tunesmith.train.verdict_rows import EncodedVerdicts, Row

BETA = 0.1
"""What the papers of all three objectives use."""


def micro_batch_size(config: TrainConfig, verdicts: EncodedVerdicts, *, token_budget: int) -> int:
    """Verdicts computed at once: the largest divisor of a worker's part of a step within the token budget.

    `kto` measures how far the model has moved by answers swapped within a micro-batch, so there it is at least 2.
    """
    longest = max(len(sequence.ids) for sequence in verdicts.split().examples)
    sequences = 1 if config.objective == "kto" else 2
    share = config.batch_size // config.workers
    sizes = [size for size in range(1, share + 1) if share % size == 0]
    if config.objective == "kto":
        sizes = sizes[1:]
    within = [size for size in sizes if size * sequences * longest <= token_budget]
    return max(within, default=sizes[0])


def preference_trainer(
    config: TrainConfig,
    model: Any,
    verdicts: tuple[EncodedVerdicts, EncodedVerdicts],
    *,
    token_budget: int,
    arguments: dict[str, Any],
    **options: Any,
) -> Any:
    """TRL's trainer of the objective, with the reference measured and no second model or adapter kept.

    Args:
        config: The recipe's `train:` section.
        model: With its trainable parameters chosen; as it is now, it is the reference.
        verdicts: Those to learn from, and those to measure by, which may be none.
        token_budget: Tokens, padding included, computed at once.
        arguments: Options that `transformers.TrainingArguments` also takes.
        options: What `transformers.Trainer` takes besides.

    Raises:
        MissingDependencyError: If TRL is not installed.
    """
    _require_trl()
    from datasets import Dataset, disable_progress_bars

    from tunesmith.train import trl_trainers as trl

    disable_progress_bars()
    kinds = {"dpo": trl.Dpo, "orpo": trl.Orpo, "kto": trl.Kto}
    size = micro_batch_size(config, verdicts[0], token_budget=token_budget)
    rows = [split.rows for split in verdicts]
    if config.objective == "kto":
        rows = [_with_swapped(_shuffled(split, config.seed), size) for split in rows]
    # The tokenizer already pads with a token that ends no answer; said here, transformers need not say it.
    for settings in (model.config, model.generation_config):
        settings.pad_token_id = options["processing_class"].pad_token_id
    weights = {id(each): each.data for each in model.parameters() if each.requires_grad}
    with calling_peft():
        trainer = kinds[config.objective](
            model=model,
            args=_arguments(config, rows[0], size, arguments),
            train_dataset=Dataset.from_list(rows[0]),
            eval_dataset=Dataset.from_list(rows[1]) if rows[1] else None,
            **options,
        )
    for parameter in model.parameters():
        # TRL rounds the adapter of a quantized model to bfloat16; the optimizer needs it in float32.
        parameter.data = weights.get(id(parameter), parameter.data)
    return trainer


def _arguments(config: TrainConfig, rows: Sequence[Row], size: int, shared: dict[str, Any]) -> Any:
    from trl import DPOConfig, KTOConfig
    from trl.experimental.orpo import ORPOConfig

    options = {
        **shared,
        "per_device_train_batch_size": size,
        "per_device_eval_batch_size": size,
        "gradient_accumulation_steps": config.batch_size // config.workers // size,
        "max_length": config.sequence_length,
        "beta": BETA if config.beta is None else config.beta,
        # The base computes in bfloat16 already, and the adapter in the base's precision.
        "bf16": False,
        "activation_checkpointing": config.gradient_checkpointing,
    }
    if config.objective == "orpo":
        return ORPOConfig(**options)
    # Full training has no adapter to switch off: there TRL must not load a second model either.
    options["precompute_ref_log_probs"] = config.method == "full"
    if config.objective == "dpo":
        return DPOConfig(**options)
    return KTOConfig(**options, train_sampling_strategy="sequential", **_balance(rows))


def _balance(rows: Sequence[Row]) -> dict[str, float]:
    """Weights that make thumbs up and thumbs down count the same, the rarer ones more (KTO, equation 8)."""
    up = max(sum(row["label"] is True for row in rows), 1)
    down = max(len(rows) - up, 1)
    return {
        "desirable_weight": max(1.0, down / up),
        "undesirable_weight": max(1.0, up / down),
    }


def _shuffled(rows: Sequence[Row], seed: int) -> list[Row]:
    order = list(rows)
    random.Random(seed).shuffle(order)  # noqa: S311  # order of verdicts, no secret
    return order


def _with_swapped(rows: Sequence[Row], size: int) -> list[Row]:
    """Each row with the answer of its neighbour in the micro-batch, by which `kto` measures how far the model moved."""
    found: list[Row] = []
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        found += [
            {**row, "KL_completion_ids": batch[number - 1]["completion_ids"]}
            for number, row in enumerate(batch)
        ]
    return found


def _require_trl() -> None:
    if find_spec("trl") is None:
        raise MissingDependencyError(
            "trl", needed_for="preference tuning", install="pip install 'tunesmith[preference]'"
        )
