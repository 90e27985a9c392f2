"""A sweep: train, grade on validation examples, choose the next settings; the golden set is never opened."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.artifacts.adapter import Adapter
from tunesmith.artifacts.dataset import Dataset
from tunesmith.core import fingerprint
from tunesmith.core.conversation import Case
from tunesmith.core.progress import QuietProgress
from tunesmith.core.workspace import Workspace
from tunesmith.errors import DataError, DivergedError, MissingDependencyError
from tunesmith.recipe import Recipe
from tunesmith.train.config import TrainConfig

SEED_TRIALS = 3
"""Trials that run to their end before others are measured against them."""


class Trial(NamedTuple):
    """One training of a sweep."""

    number: int
    state: str
    """`complete`, `pruned` or `failed`."""
    rank: int
    learning_rate: float
    epochs: int
    score: float | None
    """Mean of the deciding grader over the validation cases."""
    validation_loss: float | None


class SweepResult(NamedTuple):
    """All trials so far, and the best."""

    id: str
    wanted: int
    """Trials in all."""
    trials: tuple[Trial, ...]
    best: Trial | None
    recipe_lines: str
    """The best settings as lines of a recipe."""
    folder: Path
    """Study (SQLite) and plot."""


class Sweep:
    """One study of one recipe on one dataset; goes on where it was stopped."""

    def __init__(
        self, recipe: Recipe, workspace: Workspace, dataset: Dataset, *, is_quiet: bool = False
    ) -> None:
        """Nothing is computed before `run`."""
        self.recipe, self.workspace, self.dataset = recipe, workspace, dataset
        self.is_quiet = is_quiet
        self.space = recipe.train.sweep
        swept = {"rank", "alpha", "learning_rate", "epochs", "sweep", "log_to"}
        content = [
            dataset.id,
            recipe.model.model_dump(mode="json"),
            recipe.train.model_dump(mode="json", exclude=swept),
            self.space.model_dump(mode="json", exclude={"trials"}),
            recipe.evaluate.model_dump(mode="json"),
        ]
        self.id = fingerprint.short_id("sweep", content)

    @property
    def folder(self) -> Path:
        """Where the study lies."""
        return self.workspace.folder("sweeps") / self.id

    def result(self) -> SweepResult:
        """What has been tried so far; computes nothing."""
        trials = tuple(map(_trial, self._study().get_trials(deepcopy=False)))
        done = [trial for trial in trials if trial.score is not None]
        best = max(done, key=_merit, default=None)
        lines = self._lines(best) if best else ""
        return SweepResult(self.id, self.space.trials, trials, best, lines, self.folder)

    def run(self, on_trial: Callable[[Trial], None] | None = None) -> SweepResult:
        """Try settings until `sweep.trials` are done, and draw them.

        Args:
            on_trial: Told each trial when it has ended.

        Raises:
            DataError: If there are no validation examples to grade on.
            MissingDependencyError: If Optuna is not installed.
        """
        from tunesmith.lifecycle.sweep_plot import draw

        cases = self._cases()
        study = self._study()
        self._take_up(study)
        while len(self._ended(study)) < self.space.trials:
            asked = study.ask()
            self._try(study, asked, cases)
            if on_trial:
                on_trial(_trial(study.get_trials(deepcopy=False)[asked.number]))
        result = self.result()
        draw(result, self.folder / "trials.png")
        return result

    def _study(self) -> Any:
        try:
            import optuna
        except ModuleNotFoundError as error:
            raise MissingDependencyError(
                "optuna",
                needed_for="tunesmith train --sweep",
                install="pip install 'tunesmith[sweep]'",
            ) from error
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.folder.mkdir(parents=True, exist_ok=True)
        study = optuna.create_study(
            study_name=self.id,
            storage=f"sqlite:///{self.folder / 'study.db'}",
            load_if_exists=True,
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=SEED_TRIALS),
        )
        # Gone on with, a study must not draw again what it drew first.
        seed = self.recipe.train.seed + len(study.get_trials(deepcopy=False))
        study.sampler = optuna.samplers.TPESampler(seed=seed)
        return study

    def _take_up(self, study: Any) -> None:
        """A trial that was running when its process ended is tried again."""
        from optuna.trial import TrialState

        for trial in study.get_trials(states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)
            if trial.params:
                study.enqueue_trial(trial.params)

    def _ended(self, study: Any) -> list[Any]:
        from optuna.trial import TrialState

        return list(
            study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
        )

    def _cases(self) -> list[Case]:
        examples = self.dataset.examples(self.workspace, "validation")
        if not examples:
            raise DataError(
                "a sweep grades on validation examples, and this dataset has none",
                fix="set curate.validation_share, for example to 0.1, and run `tunesmith curate`",
            )
        return [
            Case(messages=example.prompt, expected=example.answer, source=example.source)
            for example in examples[: self.space.cases]
        ]

    def _try(self, study: Any, asked: Any, cases: list[Case]) -> None:
        from optuna import TrialPruned
        from optuna.trial import TrialState

        config = self._suggest(asked)
        reports: list[float] = []

        def judge(loss: float) -> None:
            # By the share of the run, so that runs of different lengths are compared at the same place.
            reports.append(loss)
            asked.report(-loss, step=len(reports))
            if asked.should_prune():
                raise TrialPruned

        before = set(self.workspace.folder("training").iterdir())
        try:
            adapter = self._train(config, judge)
        except (TrialPruned, DivergedError):
            for folder in set(self.workspace.folder("training").iterdir()) - before:
                shutil.rmtree(folder)
            study.tell(asked, state=TrialState.PRUNED)
            self._record(asked, config, None, None, reports)
            return
        score = self._grade(adapter, cases)
        asked.set_user_attr("validation_loss", adapter.metrics.validation_loss)
        asked.set_user_attr("adapter_id", adapter.id)
        study.tell(asked, score)
        self._record(asked, config, adapter, score, reports)
        self._keep_best()

    def _suggest(self, asked: Any) -> TrainConfig:
        train, space = self.recipe.train, self.space
        rank = asked.suggest_categorical("rank", space.rank)
        return train.model_copy(
            update={
                "rank": rank,
                "alpha": max(1, round(train.alpha * rank / train.rank)),
                "learning_rate": asked.suggest_float(
                    "learning_rate", *space.learning_rate, log=True
                ),
                "epochs": asked.suggest_categorical("epochs", space.epochs),
            }
        )

    def _train(self, config: TrainConfig, judge: Callable[[float], None]) -> Adapter:
        from tunesmith.train import stage
        from tunesmith.train.material import TrainInputs

        inputs = TrainInputs(self.dataset, self.recipe.model, self.recipe.name, on_validation=judge)
        return stage.run(config, self.workspace, inputs, is_quiet=self.is_quiet)

    def _grade(self, adapter: Adapter, cases: list[Case]) -> float:
        from tunesmith.engines.opening import Served, open_endpoint
        from tunesmith.evaluate.generation import answer_all
        from tunesmith.evaluate.grading import grade_all, make_graders

        config, model = self.recipe.evaluate, self.recipe.model
        grader = next(iter(make_graders(config, self.workspace.root).values()))
        served = Served.of(adapter, self.workspace)
        endpoint = open_endpoint(model, self.workspace.root, [served], max_batch=config.concurrency)

        async def answer() -> Any:
            try:
                return await answer_all(endpoint, adapter.name, cases, config, QuietProgress())
            finally:
                await endpoint.close()

        grades = grade_all(grader, cases, asyncio.run(answer()).answers)
        scores = [grade.score for grade in grades if grade.score is not None]
        return sum(scores) / len(scores) if scores else 0.0

    def _record(
        self,
        asked: Any,
        config: TrainConfig,
        adapter: Adapter | None,
        score: float | None,
        reports: list[float],
    ) -> None:
        from tunesmith.stores.registry import Registry
        from tunesmith.stores.trials import TrialRecord

        registry = Registry.open(self.recipe.release.tracking_uri, self.workspace)
        settings = config.model_dump(mode="json", exclude={"sweep"})
        final = {"validation_score": score} if score is not None else {}
        registry.record_trial(
            f"{self.recipe.name}-sweep",
            TrialRecord(
                name=f"{self.id}/{asked.number}",
                settings=settings,
                validation_losses=reports,
                metrics=final,
                tags={"sweep_id": self.id, "dataset_id": self.dataset.id},
                is_finished=adapter is not None,
            ),
        )

    def _keep_best(self) -> None:
        """Delete the adapters of this sweep that are not its best: they can be trained again from their settings."""
        best = self.result().best
        for trial in self._ended(self._study()):
            adapter_id = trial.user_attrs.get("adapter_id")
            if adapter_id and best and trial.number != best.number:
                shutil.rmtree(Adapter.folder_of(self.workspace, adapter_id), ignore_errors=True)

    def _lines(self, best: Trial) -> str:
        train = self.recipe.train
        alpha = max(1, round(train.alpha * best.rank / train.rank))
        return (
            f"train:\n  rank: {best.rank}\n  alpha: {alpha}\n"
            f"  learning_rate: {best.learning_rate:.3g}\n  epochs: {best.epochs}\n"
        )


def _trial(found: Any) -> Trial:
    states = {"COMPLETE": "complete", "PRUNED": "pruned"}
    params = found.params
    return Trial(
        found.number,
        states.get(found.state.name, "failed"),
        params.get("rank", 0),
        params.get("learning_rate", 0.0),
        params.get("epochs", 0),
        found.value if found.state.name == "COMPLETE" else None,
        found.user_attrs.get("validation_loss"),
    )


def _merit(trial: Trial) -> tuple[float, float]:
    loss = trial.validation_loss
    return trial.score or 0.0, -loss if loss is not None else float("-inf")
