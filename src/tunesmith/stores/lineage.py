"""Lineage: what a version came from, in the registry's terms: parameters, metrics, tags."""

import re
from typing import NamedTuple

from tunesmith.artifacts.adapter import Adapter
from tunesmith.artifacts.artifact import read_lines
from tunesmith.artifacts.dataset import Dataset
from tunesmith.artifacts.eval_report import EvalReport, GraderResult
from tunesmith.artifacts.golden_set import GoldenSet
from tunesmith.core.workspace import Workspace

HISTORY = ("loss", "eval_loss", "learning_rate")
"""What is drawn over the steps, by the names that training gives it."""
LONGEST_PARAMETER = 6000
"""Characters; MLflow refuses longer values."""


class Lineage(NamedTuple):
    """An adapter, what it was made from and how it was measured."""

    adapter: Adapter
    dataset: Dataset
    golden_set: GoldenSet | None
    report: EvalReport | None


class Point(NamedTuple):
    """One value of one metric."""

    key: str
    value: float
    step: int


def parameters(adapter: Adapter) -> dict[str, str]:
    """All that shaped the training: base, method, flattened `train:` section, libraries."""
    base = {f"base.{key}": value for key, value in adapter.base.model_dump(mode="json").items()}
    libraries = {f"library.{name}": version for name, version in adapter.libraries.items()}
    found = {"base": adapter.base.name, "method": adapter.method}
    found |= flatten(adapter.settings) | base | libraries
    return {_key(key): value[:LONGEST_PARAMETER] for key, value in found.items()}


def flatten(settings: object, prefix: str = "") -> dict[str, str]:
    """Nested settings as one level of dotted names, lists as `a, b`.

    >>> flatten({"rank": 8, "targets": ["q_proj", "v_proj"], "schedule": {"name": "cosine"}})
    {'rank': '8', 'targets': 'q_proj, v_proj', 'schedule.name': 'cosine'}
    """
    if isinstance(settings, dict):
        flat: dict[str, str] = {}
        for key, value in settings.items():
            flat |= flatten(value, f"{prefix}.{key}" if prefix else str(key))
        return flat
    if isinstance(settings, list | tuple):
        return {prefix: ", ".join(str(value) for value in settings)}
    return {prefix: str(settings)}


def metrics(lineage: Lineage) -> dict[str, float]:
    """Final numbers: `train/...` as training gave them, `eval/<grader>/...` for every grader."""
    trained = lineage.adapter.metrics.model_dump(exclude_none=True)
    found = {f"train/{key}": float(value) for key, value in trained.items()}
    for result in lineage.report.results if lineage.report else ():
        found |= _graded(result)
    return {_key(key): value for key, value in found.items()}


def history(adapter: Adapter, workspace: Workspace) -> list[Point]:
    """Loss, validation loss and learning rate by step; empty where no history was kept."""
    path = adapter.history_path(workspace)
    points = []
    for row in read_lines(path) if path.is_file() else []:
        step = row.get("step")
        for key in HISTORY:
            value = row.get(key)
            if isinstance(value, int | float) and isinstance(step, int):
                points.append(Point(key, float(value), step))
    return points


def tags(lineage: Lineage) -> dict[str, str]:
    """What a version is found by; the keys are the same on run, model and version."""
    adapter, _, golden_set, report = lineage
    found = {
        "adapter_id": adapter.id,
        "dataset_id": lineage.dataset.id,
        "base": adapter.base.name,
        "method": adapter.method,
        "template_fingerprint": adapter.base.template_fingerprint,
    }
    if golden_set:
        found["golden_set_id"] = golden_set.id
    if report:
        found["report_id"] = report.id
    return found


def summary(lineage: Lineage) -> str:
    """Two sentences for the model's page in MLflow."""
    adapter, dataset, _, report = lineage
    text = (
        f"{adapter.method} adapter {adapter.id} of {adapter.base.name},"
        f" trained on {dataset.train_count} examples ({dataset.id})."
    )
    if report is None:
        return f"{text} Not measured."
    first = report.primary
    return (
        f"{text} {first.grader} on {report.golden_set_id}: base {first.base.mean:.3f},"
        f" tuned {first.tuned.mean:.3f} ({first.change.low:+.3f} to {first.change.high:+.3f}, 95%)."
    )


def _graded(result: GraderResult) -> dict[str, float]:
    prefix = f"eval/{result.grader}"
    found = {
        f"{prefix}/base": result.base.mean,
        f"{prefix}/tuned": result.tuned.mean,
        f"{prefix}/change": result.change.mean,
        f"{prefix}/change_low": result.change.low,
        f"{prefix}/change_high": result.change.high,
        f"{prefix}/graded": float(result.tuned.graded),
        f"{prefix}/ungraded": float(result.tuned.ungraded),
    }
    if result.change.p_value is not None:
        found[f"{prefix}/p_value"] = result.change.p_value
    return found


def _key(name: str) -> str:
    # MLflow takes these characters in the names of metrics and parameters and no others.
    return re.sub(r"[^\w\-. /]", "_", name)
