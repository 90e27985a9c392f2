"""A sweep: real trainings of a tiny model, graded on validation examples, resumed after a kill; golden cases unread."""

import json
import sys

import pytest

from tunesmith.artifacts.golden_set import GoldenSet
from tunesmith.core.conversation import Case
from tunesmith.errors import DataError
from tunesmith.lifecycle.sweep import Sweep
from tunesmith.recipe import Recipe

PAIRS = [(f"say {word}", word.upper()) for word in ("one", "two", "red", "blue", "sun", "moon")]
OPENED: list[str] = []


def _remember(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        OPENED.append(arguments[0])


@pytest.fixture
def sweep_of(workspace, dataset_of, tiny_model):
    dataset = dataset_of(PAIRS * 2, PAIRS[:4])

    def make(**space):
        train = {
            "method": "lora",
            "batch_size": 4,
            "evaluations": 2,
            "log_to": [],
            "sweep": {"rank": [2, 4], "learning_rate": [1e-4, 3e-2], "epochs": [1, 4], **space},
        }
        recipe = {
            "name": "tiny",
            "model": {"base": str(tiny_model)},
            "train": train,
            "evaluate": {"graders": ["exact"], "secondary": [], "max_tokens": 8},
        }
        return Sweep(Recipe.model_validate(recipe), workspace, dataset, is_quiet=True)

    return make


def test_a_sweep_finds_its_best_trial_records_all_and_never_opens_the_golden_set(
    sweep_of, workspace
):
    from mlflow import MlflowClient

    golden = [Case(messages=({"role": "user", "content": "say six"},), expected="SIX")]
    golden_set = GoldenSet(id=GoldenSet.id_of(golden), count=1, origin="test")
    golden_set.write_cases(workspace, golden)
    golden_set.save(workspace)
    sys.addaudithook(_remember)
    OPENED.clear()

    result = sweep_of(trials=5).run()

    touched = [path for path in OPENED if str(workspace.root) in path]
    assert any("validation.jsonl" in path for path in touched)
    assert not [path for path in touched if "golden_sets" in path]
    assert len(result.trials) == 5
    done = [trial for trial in result.trials if trial.score is not None]
    assert result.best.score == max(trial.score for trial in done)
    lines = json.dumps(result.recipe_lines)
    assert f"rank: {result.best.rank}" in lines
    assert f"alpha: {2 * result.best.rank}" in lines  # the recipe's ratio, 32 to 16
    assert (result.folder / "trials.png").read_bytes().startswith(b"\x89PNG")
    client = MlflowClient(f"sqlite:///{workspace.mlflow_database}")
    experiment = client.get_experiment_by_name("tiny-sweep")
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 5
    states = sorted("FINISHED" if trial.score is not None else "KILLED" for trial in result.trials)
    assert sorted(run.info.status for run in runs) == states
    assert all("learning_rate" in run.data.params for run in runs)
    assert len(list(workspace.folder("adapters").iterdir())) == 1  # the best one's


def test_a_sweep_goes_on_where_it_was_stopped(sweep_of):
    class StoppedError(Exception):
        pass

    def stop(trial):
        if trial.number == 1:
            raise StoppedError

    with pytest.raises(StoppedError):
        sweep_of(trials=3).run(on_trial=stop)
    assert len(sweep_of(trials=3).result().trials) == 2
    first = sweep_of(trials=3).result().trials

    result = sweep_of(trials=3).run()

    assert len(result.trials) == 3
    assert result.trials[:2] == first


def test_a_trial_that_goes_badly_is_stopped_early_and_leaves_nothing(sweep_of, workspace):
    import optuna

    sweep = sweep_of(trials=5, learning_rate=[1e-7, 1e-7], rank=[2], epochs=[2])
    study = sweep._study()
    for _ in range(4):  # four finished trials that did far better by their first measurement
        asked = study.ask()
        asked.suggest_categorical("rank", (2,))
        asked.suggest_float("learning_rate", 1e-7, 1e-7, log=True)
        asked.suggest_categorical("epochs", (2,))
        asked.report(-0.01, step=1)
        study.tell(asked, 0.9)

    result = sweep.run()

    assert result.trials[-1].state == "pruned"
    assert len(study.trials[-1].intermediate_values) == 1
    assert study.trials[-1].state == optuna.trial.TrialState.PRUNED
    assert list(workspace.folder("training").iterdir()) == []


def test_without_validation_examples_there_is_nothing_to_grade_on(sweep_of, dataset_of):
    sweep = sweep_of(trials=1)
    sweep.dataset = dataset_of(PAIRS)

    with pytest.raises(DataError, match="validation"):
        sweep.run()
