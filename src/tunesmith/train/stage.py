"""The train stage: Dataset x base model -> Adapter."""

import shutil
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from tunesmith.artifacts.adapter import Adapter, TrainWarning
from tunesmith.core import fingerprint
from tunesmith.core.allocator import keep_freed_memory, return_freed_memory, trim
from tunesmith.core.live import LiveView, live
from tunesmith.core.workspace import Workspace
from tunesmith.errors import NotMadeYetError, OutOfMemoryError
from tunesmith.models.loading import LoadedModel
from tunesmith.train.adapters import make_trainable
from tunesmith.train.assembly import make_trainer
from tunesmith.train.base import load_base
from tunesmith.train.callbacks import KeepHeapTight
from tunesmith.train.config import TrainConfig
from tunesmith.train.continuation import find_parent
from tunesmith.train.cutting import is_out_of_memory
from tunesmith.train.fitting import Fit, choose_fit
from tunesmith.train.inspection import inspect
from tunesmith.train.material import Material, TrainInputs, prepare
from tunesmith.train.saving import measured, save
from tunesmith.train.session import Session
from tunesmith.train.stopping import StopBetweenSteps
from tunesmith.train.team import Team
from tunesmith.train.together import train_together
from tunesmith.train.trackers import keep_tracks


def run(
    config: TrainConfig,
    workspace: Workspace,
    inputs: TrainInputs,
    *,
    is_resumed: bool = False,
    is_quiet: bool = False,
    fit: Fit | None = None,
) -> Adapter:
    """Train and save an adapter; what makes the run worse than it could be is said first, and kept with it.

    Args:
        config: The recipe's `train:` section.
        workspace: Where the dataset lies and the adapter goes.
        inputs: Dataset, base model and the adapter's name.
        is_resumed: Continue the interrupted run of the same inputs from its last checkpoint.
        is_quiet: Show no progress.
        fit: What the recipe leaves open, as the process that starts several has decided it for each.

    Raises:
        NotMadeYetError: If there is no interrupted run to resume.
        DataError: If no example fits the sequence length.
        DivergedError: If the loss stops being a number, or runs away.
        DoesNotFitError: If the run needs more memory than is free, or runs out of it with single examples.
    """
    material = prepare(config, workspace, inputs, is_quiet=is_quiet)
    team = Team.of_environment()
    fit = fit or choose_fit(config, material, team)
    if team.size == 1 and config.workers > 1:
        return train_together(
            config, workspace, material, is_resumed=is_resumed, is_quiet=is_quiet, fit=fit
        )
    team.require_size(config.workers)
    team.take_device()
    return_freed_memory()
    base = load_base(config, material, holding=fit.holding)
    folder = workspace.folder("training") / _run_id(config, material, base)
    session = Session(config, workspace, material, team, folder)
    checkpoint = _checkpoint(session, is_resumed=is_resumed)
    parent = find_parent(config, workspace, base.identity)
    model = make_trainable(base.model, config, parent=parent.folder if parent else None)
    trim()
    if fit.is_ample:
        keep_freed_memory()
    warnings = list(inspect(config, material))
    with live("training", session.steps, is_quiet=is_quiet or not team.is_first) as view:
        for warning in warnings:
            view.say(f"warning: {warning.message}\n    fix: {warning.fix}")
        trainer = make_trainer(
            session, model, view, token_budget=fit.tokens, on_halved=_note(warnings, view)
        )
        if fit.is_ample:
            trainer.add_callback(KeepHeapTight())
        seconds = _train(trainer, checkpoint, view, team)
    if not team.is_first:
        return Adapter.load(workspace, team.told_by_first(""))
    adapter = _keep(session, trainer, base, warnings, seconds=seconds)
    team.told_by_first(adapter.id)
    return adapter


def _run_id(config: TrainConfig, material: Material, base: LoadedModel) -> str:
    settings = [
        material.inputs.dataset.id,
        config.model_dump(mode="json"),
        base.identity.model_dump(mode="json"),
    ]
    return fingerprint.short_id("run", settings)


def _checkpoint(session: Session, *, is_resumed: bool) -> str | None:
    from transformers.trainer_utils import get_last_checkpoint

    folder = session.folder
    found = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    if is_resumed and not found:
        raise NotMadeYetError(
            "interrupted run with this recipe and dataset", made_by="tunesmith train"
        )
    if not is_resumed and session.team.is_first and folder.is_dir():
        shutil.rmtree(folder)
    return found if is_resumed else None


def _note(warnings: list[TrainWarning], view: LiveView) -> Callable[[str], None]:
    def note(message: str) -> None:
        view.say(message)
        fix = "lower train.micro_batch_tokens, or free memory before the next run"
        warnings.append(TrainWarning(code="memory-ran-out", message=message, fix=fix))

    return note


def _train(trainer: Any, checkpoint: str | None, view: LiveView, team: Team) -> float:
    """Train, and return the wall time in seconds."""
    stopping = StopBetweenSteps(view.say)
    trainer.add_callback(stopping)
    started = time.monotonic()
    try:
        # Several workers are ended by the process that started them.
        with stopping.listening() if team.size == 1 else nullcontext():
            trainer.train(resume_from_checkpoint=checkpoint)
    except (RuntimeError, MemoryError) as error:
        # In a step it is caught and the step cut smaller; here it was the optimizer, or a checkpoint.
        if is_out_of_memory(error):
            raise OutOfMemoryError(str(error).partition("\n")[0]) from error
        raise
    return time.monotonic() - started


def _keep(
    session: Session,
    trainer: Any,
    base: LoadedModel,
    warnings: list[TrainWarning],
    *,
    seconds: float,
) -> Adapter:
    """The adapter with everything that tells of its training; checkpoints are no longer needed."""
    config, workspace = session.config, session.workspace
    epochs = trainer.state.global_step / session.steps * config.epochs
    report = measured(trainer, epochs=epochs, seconds=seconds), warnings
    adapter = save(trainer, config, workspace, session.material, base.identity, report)
    keep_tracks(config, session.folder, adapter.folder(workspace))
    shutil.rmtree(session.folder)
    return adapter
