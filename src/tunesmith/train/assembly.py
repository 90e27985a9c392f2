"""The trainer of a run, put together from the recipe: arguments, data, and what watches it."""

from pathlib import Path
from typing import Any

from tunesmith.core.live import LiveView
from tunesmith.models.loading import device_name
from tunesmith.train.callbacks import VALIDATION_LOSS, ShowTraining, TellValidation
from tunesmith.train.config import TrainConfig
from tunesmith.train.optimizers import choose_optimizer
from tunesmith.train.preference import preference_trainer
from tunesmith.train.session import Session
from tunesmith.train.sharding import shard
from tunesmith.train.trackers import make_trackers
from tunesmith.train.trainer import Steps, StepTrainer


def make_trainer(session: Session, model: Any, view: LiveView, **options: Any) -> Any:
    """A trainer that shows what it does in `view`, and writes it to where the recipe says."""
    inputs = session.material.inputs
    shown = ShowTraining(view)
    callbacks = [shown, TellValidation(inputs.on_validation)]
    if session.team.is_first:
        callbacks += make_trackers(session.config, session.folder, inputs.name)
    trainer = _trainer(session, model, callbacks=callbacks, **options)
    shown.trainer = trainer
    return trainer


def _trainer(session: Session, model: Any, **options: Any) -> Any:
    from transformers import EarlyStoppingCallback, PrinterCallback, TrainingArguments

    config, folder, material = session.config, session.folder, session.material
    steps, validation = material.steps(config), material.validation
    arguments = _arguments(config, folder, len(steps), has_validation=bool(validation.examples))
    if material.verdicts:
        trainer = preference_trainer(
            config,
            model,
            material.verdicts,
            token_budget=options["token_budget"],
            arguments=arguments,
            callbacks=options["callbacks"],
            processing_class=material.template.tokenizer,
        )
    else:
        settings = TrainingArguments(**arguments, per_device_train_batch_size=1)
        if config.sharding == "fsdp":
            shard(model, settings.device.type)
        trainer = StepTrainer(
            model=model,
            args=settings,
            is_sharded=config.sharding == "fsdp",
            train_dataset=Steps(material.train.examples, steps, material.sources),
            eval_dataset=validation.examples or None,
            pad_id=material.template.pad_id(),
            team=session.team,
            **options,
        )
    if config.patience is not None and validation.examples and config.evaluations:
        trainer.add_callback(EarlyStoppingCallback(early_stopping_patience=config.patience))
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(
    config: TrainConfig, folder: Path, steps: int, *, has_validation: bool
) -> dict[str, Any]:
    is_cuda = device_name() == "cuda"
    every = max(1, steps // max(config.evaluations, 1))
    pauses = "steps" if config.evaluations else "no"
    return {
        "output_dir": str(folder),
        "max_steps": steps,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": config.schedule,
        "warmup_steps": round(config.warmup_share * steps),
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.max_grad_norm,
        "optim": choose_optimizer(config.optimizer, device_name()).name,
        "activation_checkpointing": config.gradient_checkpointing,
        "eval_strategy": pauses if has_validation else "no",
        "eval_steps": every,
        "save_strategy": pauses,
        "save_steps": every,
        "save_total_limit": 2,
        "load_best_model_at_end": has_validation and config.evaluations > 0,
        "metric_for_best_model": VALIDATION_LOSS,
        "logging_steps": 1,
        "report_to": "none",
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "use_cpu": not is_cuda,
        "seed": config.seed,
    }
