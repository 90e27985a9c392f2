"""The train stage: Dataset x base model -> Adapter."""

import json
import shutil
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.artifacts.adapter import Adapter, TrainMetrics
from tunesmith.artifacts.artifact import write_lines
from tunesmith.artifacts.dataset import Dataset
from tunesmith.core import fingerprint
from tunesmith.core.progress import track
from tunesmith.core.workspace import Workspace, write_text
from tunesmith.errors import NotMadeYetError
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import LoadedModel, device_name, load_model
from tunesmith.models.reference import resolve
from tunesmith.train.adapters import make_trainable
from tunesmith.train.batches import schedule
from tunesmith.train.callbacks import ShowProgress
from tunesmith.train.config import TrainConfig
from tunesmith.train.continuation import find_parent
from tunesmith.train.encoding import EncodedSplit, encode
from tunesmith.train.initialisation import save_adapter
from tunesmith.train.optimizers import choose_optimizer
from tunesmith.train.plan import make_plan
from tunesmith.train.plot import draw
from tunesmith.train.trainer import VALIDATION_LOSS, Steps, StepTrainer

TENSORBOARD = "tensorboard"
"""Folder of the event files, in the run's folder and then in the adapter's."""
LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate")


class TrainInputs(NamedTuple):
    """What an adapter is made from."""

    dataset: Dataset
    model: ModelConfig
    name: str
    """The model name that the adapter will answer to."""


def run(
    config: TrainConfig,
    workspace: Workspace,
    inputs: TrainInputs,
    *,
    is_resumed: bool = False,
    is_quiet: bool = False,
) -> Adapter:
    """Train and save an adapter.

    Args:
        config: The recipe's `train:` section.
        workspace: Where the dataset lies and the adapter goes.
        inputs: Dataset, base model and the adapter's name.
        is_resumed: Continue the interrupted run of the same inputs from its last checkpoint.
        is_quiet: Show no progress.

    Raises:
        NotMadeYetError: If there is no interrupted run to resume.
        DataError: If no example fits the sequence length.
        TrainingError: If the loss stops being a number.
        DoesNotFitError: If the run needs more memory than is free.
    """
    make_plan(config, workspace, inputs.dataset, inputs.model).require_fit()
    base = _load(config, workspace, inputs.model)
    train, validation = (
        encode(
            base.template,
            inputs.dataset.examples(workspace, split),
            sequence_length=config.sequence_length,
        )
        for split in ("train", "validation")
    )
    folder = _run_folder(config, workspace, inputs, base)
    checkpoint = _checkpoint(folder, is_resumed=is_resumed)
    parent = find_parent(config, workspace, base.identity)
    model = make_trainable(base.model, config, parent=parent.folder if parent else None)
    steps = schedule(
        len(train.examples),
        batch_size=config.batch_size,
        epochs=config.epochs,
        seed=config.seed,
    )
    with track("training", len(steps), is_quiet=is_quiet) as progress:
        shown = ShowProgress(progress)
        trainer = StepTrainer(
            model=model,
            args=_arguments(config, folder, len(steps), has_validation=bool(validation.examples)),
            train_dataset=Steps(train.examples, steps),
            eval_dataset=validation.examples or None,
            callbacks=[shown, _tensorboard(folder), *_early_stopping(config, validation)],
            pad_id=base.template.pad_id(),
            token_budget=config.micro_batch_tokens,
        )
        shown.trainer = trainer
        _only_own_output(trainer)
        started = time.monotonic()
        trainer.train(resume_from_checkpoint=checkpoint)
        seconds = time.monotonic() - started
    metrics = _metrics(
        trainer, epochs=trainer.state.global_step / len(steps) * config.epochs, seconds=seconds
    )
    adapter = _save(trainer, config, workspace, inputs, base, metrics)
    shutil.move(folder / TENSORBOARD, adapter.folder(workspace) / TENSORBOARD)
    shutil.rmtree(folder)
    return adapter


def _load(config: TrainConfig, workspace: Workspace, model: ModelConfig) -> LoadedModel:
    resolved = resolve(model, workspace.root)
    loaded = load_model(
        resolved,
        model,
        quantization=config.quantization,
        precision="float32" if config.method == "full" else "bfloat16",
    )
    if device_name() == "cpu":
        # The fused CPU attention's backward pass takes longer than plain matrix products on short rows.
        loaded.model.set_attn_implementation("eager")
    return loaded


def _run_folder(
    config: TrainConfig, workspace: Workspace, inputs: TrainInputs, base: LoadedModel
) -> Path:
    settings = [
        inputs.dataset.id,
        config.model_dump(mode="json"),
        base.identity.model_dump(mode="json"),
    ]
    return workspace.folder("training") / fingerprint.short_id("run", settings)


def _checkpoint(folder: Path, *, is_resumed: bool) -> str | None:
    from transformers.trainer_utils import get_last_checkpoint

    found = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    if is_resumed and not found:
        raise NotMadeYetError(
            "interrupted run with this recipe and dataset", made_by="tunesmith train"
        )
    if not is_resumed and folder.is_dir():
        shutil.rmtree(folder)
    return found if is_resumed else None


def _arguments(config: TrainConfig, folder: Path, steps: int, *, has_validation: bool) -> Any:
    from transformers import TrainingArguments

    is_cuda = device_name() == "cuda"
    every = max(1, steps // max(config.evaluations, 1))
    pauses = "steps" if config.evaluations else "no"
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=1,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule,
        warmup_steps=round(config.warmup_share * steps),
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        optim=choose_optimizer(config.optimizer, device_name()).name,
        activation_checkpointing=config.gradient_checkpointing,
        eval_strategy=pauses if has_validation else "no",
        eval_steps=every,
        save_strategy=pauses,
        save_steps=every,
        save_total_limit=2,
        load_best_model_at_end=has_validation and config.evaluations > 0,
        metric_for_best_model=VALIDATION_LOSS,
        logging_steps=1,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=not is_cuda,
        seed=config.seed,
    )


def _early_stopping(config: TrainConfig, validation: EncodedSplit) -> Sequence[Any]:
    from transformers import EarlyStoppingCallback

    if config.patience is None or not validation.examples or not config.evaluations:
        return []
    return [EarlyStoppingCallback(early_stopping_patience=config.patience)]


def _tensorboard(folder: Path) -> Any:
    from torch.utils.tensorboard import SummaryWriter
    from transformers.integrations import TensorBoardCallback

    return TensorBoardCallback(SummaryWriter(folder / TENSORBOARD))


def _only_own_output(trainer: StepTrainer) -> None:
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)


def _metrics(trainer: StepTrainer, *, epochs: float, seconds: float) -> TrainMetrics:
    history = trainer.state.log_history
    losses = [row["loss"] for row in history if "loss" in row]
    scores = [(row[VALIDATION_LOSS], row["step"]) for row in history if VALIDATION_LOSS in row]
    return TrainMetrics(
        train_loss=losses[-1],
        validation_loss=min(scores)[0] if scores else None,
        best_step=min(scores)[1] if scores else trainer.state.global_step,
        steps=trainer.state.global_step,
        epochs=round(epochs, 3),
        trained_tokens=trainer.trained_tokens,
        seen_tokens=trainer.seen_tokens,
        seconds=round(seconds, 3),
        tokens_per_second=round(trainer.seen_tokens / seconds, 1),
    )


def _save(
    trainer: StepTrainer,
    config: TrainConfig,
    workspace: Workspace,
    inputs: TrainInputs,
    base: LoadedModel,
    metrics: TrainMetrics,
) -> Adapter:
    made = workspace.folder("training") / "finished"
    shutil.rmtree(made, ignore_errors=True)
    save_adapter(trainer.model, made)
    base.template.tokenizer.save_pretrained(made)
    weights = {path.name: fingerprint.of_file(path) for path in sorted(made.glob("*.safetensors"))}
    settings = config.model_dump(mode="json")
    base_id = base.identity
    parent = find_parent(config, workspace, base_id)
    content = [inputs.dataset.id, base_id.model_dump(mode="json"), settings, weights]
    adapter = Adapter(
        id=fingerprint.short_id("ad", content),
        parents=(inputs.dataset.id, *([parent.id] if parent else [])),
        name=inputs.name,
        method=config.method,
        base=base_id,
        dataset_id=inputs.dataset.id,
        settings=settings,
        libraries={library: version(library) for library in LIBRARIES},
        metrics=metrics,
    )
    _name_base(made, base_id.name)
    target = adapter.weights_folder(workspace)
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    made.rename(target)
    history = trainer.state.log_history
    write_lines(adapter.history_path(workspace), history)
    draw(history, adapter.plot_path(workspace))
    return adapter.save(workspace)


def _name_base(folder: Path, name: str) -> None:
    # peft writes the path of this machine's cache; whoever loads the adapter elsewhere needs the model's name.
    path = folder / "adapter_config.json"
    if path.is_file():
        settings = json.loads(path.read_text(encoding="utf-8"))
        reference, _, revision = name.rpartition("@")
        settings |= {"base_model_name_or_path": reference, "revision": revision}
        write_text(path, json.dumps(settings, indent=2) + "\n")
