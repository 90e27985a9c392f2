"""The stages in order: what is fresh, what is stale and why, and one turn of them all."""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from tunesmith.artifacts.adapter import Adapter
from tunesmith.artifacts.artifact import Artifact
from tunesmith.artifacts.dataset import Dataset
from tunesmith.artifacts.eval_report import EvalReport
from tunesmith.artifacts.golden_set import GoldenSet
from tunesmith.artifacts.release import Release
from tunesmith.core import fingerprint
from tunesmith.core.section import Section
from tunesmith.core.workspace import Workspace, write_text
from tunesmith.errors import DataError, NotMadeYetError, UnknownNameError
from tunesmith.recipe import Recipe
from tunesmith.train.sweep_config import SweepConfig

if TYPE_CHECKING:
    from tunesmith.engines.opening import Served
    from tunesmith.lifecycle.sweep import Sweep
    from tunesmith.train.export.stage import ExportInputs
    from tunesmith.train.material import TrainInputs
    from tunesmith.train.plan import Plan

Kind = TypeVar("Kind", bound=Artifact)
StageName = Literal["curate", "train", "evaluate", "release"]
Freshness = Literal["missing", "stale", "fresh"]
STAGES: tuple[StageName, ...] = ("curate", "train", "evaluate", "release")


class StageState(NamedTuple):
    """What a stage made last, and whether it would make the same again."""

    stage: StageName
    freshness: Freshness
    made: dict[str, str]
    """Artifact ids by what they are: `dataset`, `golden_set`, `adapter`, `report`, `release`."""
    reason: str
    """Why it is not fresh."""


class Lifecycle:
    """One recipe in one workspace."""

    def __init__(self, recipe: Recipe, workspace: Workspace, *, is_quiet: bool = False) -> None:
        """Nothing is read or made before a stage is asked for."""
        self.recipe, self.workspace, self.is_quiet = recipe, workspace, is_quiet

    def curate(self) -> tuple[Dataset, GoldenSet]:
        """Make dataset and golden set from the raw files; see `curate.stage.run`."""
        inputs = self._inputs("curate")
        from tunesmith.curate import stage
        from tunesmith.lifecycle.probing import CrossProbe
        from tunesmith.models.loading import load_template
        from tunesmith.models.reference import resolve

        resolved = resolve(self.recipe.model, self.workspace.root, needs_weights=False)
        template = load_template(resolved, self.recipe.model)
        made = stage.run(
            self.recipe.curate,
            self.workspace,
            count_tokens=template.token_counts,
            probe=CrossProbe.of(self.recipe, self.workspace, is_quiet=self.is_quiet),
            is_quiet=self.is_quiet,
        )
        self._remember(
            "curate", inputs, {"dataset": made.dataset.id, "golden_set": made.golden_set.id}
        )
        return made.dataset, made.golden_set

    def train(self, *, is_resumed: bool = False) -> Adapter:
        """Train on the newest dataset; see `train.stage.run`."""
        inputs = self._inputs("train")
        from tunesmith.train import stage

        adapter = stage.run(
            self.recipe.train,
            self.workspace,
            self._train_inputs(),
            is_resumed=is_resumed,
            is_quiet=self.is_quiet,
        )
        self._remember("train", inputs, {"adapter": adapter.id})
        return adapter

    def plan(self, *, gpu: str | None = None, price_per_hour: float | None = None) -> "Plan":
        """What training on the newest dataset will take; see `train.plan.make_plan`."""
        from tunesmith.train.material import prepare
        from tunesmith.train.plan import make_plan

        config = self.recipe.train
        material = prepare(config, self.workspace, self._train_inputs(), is_quiet=self.is_quiet)
        return make_plan(config, material, gpu=gpu, price_per_hour=price_per_hour)

    def sweep(self) -> "Sweep":
        """A sweep over training settings on the newest dataset, new or to be gone on with."""
        from tunesmith.lifecycle.sweep import Sweep

        return Sweep(self.recipe, self.workspace, self.dataset(), is_quiet=self.is_quiet)

    def evaluate(self) -> EvalReport:
        """Compare the newest adapter with its base on the golden set; see `evaluate.stage.run`."""
        inputs = self._inputs("evaluate")
        from tunesmith.engines.opening import Served, open_endpoint
        from tunesmith.evaluate import stage

        adapter = self.adapter()
        served = Served.of(adapter, self.workspace)
        model, config = self.recipe.model, self.recipe.evaluate
        endpoint = open_endpoint(model, self.workspace.root, [served], max_batch=config.concurrency)

        async def measure() -> EvalReport:
            subject = stage.Subject(adapter, model.served_name, adapter.name)
            try:
                return await stage.run(
                    config,
                    self.workspace,
                    self.golden_set(),
                    endpoint,
                    subject,
                    is_quiet=self.is_quiet,
                )
            finally:
                await endpoint.close()

        report = asyncio.run(measure())
        self._remember("evaluate", inputs, {"report": report.id})
        return report

    def release(self) -> Release:
        """Register the newest adapter with what it came from; see `release.stage.run`."""
        inputs = self._inputs("release")
        from tunesmith.release import stage

        adapter = self.adapter()
        report = self._newest(EvalReport, "evaluate", "report")
        if report is not None and report.adapter_id != adapter.id:
            report = None
        given = stage.ReleaseInputs(
            self.recipe.name,
            adapter,
            Dataset.load(self.workspace, adapter.dataset_id),
            GoldenSet.load(self.workspace, report.golden_set_id) if report else None,
            report,
        )
        release = stage.run(self.recipe.release, self.workspace, given, is_quiet=self.is_quiet)
        self._remember("release", inputs, {"release": release.id})
        return release

    def export_inputs(
        self, adapter_id: str | None = None, output: Path | None = None
    ) -> "ExportInputs":
        """An adapter with its lineage, for `train.export.stage`; the newest one unless another is named."""
        from tunesmith.train.export.card import Lineage
        from tunesmith.train.export.stage import ExportInputs

        adapter = Adapter.load(self.workspace, adapter_id) if adapter_id else self.adapter()
        report = self._newest(EvalReport, "evaluate", "report")
        if report is not None and report.adapter_id != adapter.id:
            report = None
        dataset = Dataset.load(self.workspace, adapter.dataset_id)
        return ExportInputs(Lineage(adapter, dataset, report), self.recipe.model, output)

    def served_names(self) -> list[str]:
        """The model names that `serve` answers to, the base first."""
        return [self.recipe.model.served_name, *(one.name for one in self._served())]

    def serve(self, on_ready: Callable[[str, list[str]], None]) -> None:
        """Serve the base and all releases until stopped; see `serve.stage.run`.

        Args:
            on_ready: Told the base URL and the model names once connections are accepted.
        """
        from tunesmith.engines.opening import open_endpoint
        from tunesmith.serve import stage

        config = self.recipe.serve
        endpoint = open_endpoint(
            self.recipe.model, self.workspace.root, self._served(), max_batch=config.max_batch
        )
        stage.run(config, endpoint, on_ready=lambda url: on_ready(url, endpoint.models()))

    def run(self, on_stage: Callable[[StageState], None] | None = None) -> list[StageName]:
        """Every stage that is not fresh, in order; returns the names of those that ran.

        Args:
            on_stage: Told each stage's state before it is run or skipped.
        """
        ran: list[StageName] = []
        work: Mapping[StageName, Callable[[], object]] = {
            "curate": self.curate,
            "train": self._train_or_resume,
            "evaluate": self.evaluate,
            "release": self.release,
        }
        for stage in STAGES:
            state = self.state(stage)
            if on_stage:
                on_stage(state)
            if state.freshness != "fresh":
                work[stage]()
                ran.append(stage)
        return ran

    def states(self) -> list[StageState]:
        """All stages, in order."""
        return [self.state(stage) for stage in STAGES]

    def state(self, stage: StageName) -> StageState:
        """What the stage made last, and whether its inputs are still the same."""
        entry = self._entries().get(stage)
        if entry is None:
            return StageState(stage, "missing", {}, "never run")
        made: dict[str, str] = entry["made"]
        try:
            now = self._inputs(stage)
        except (NotMadeYetError, DataError) as error:
            return StageState(stage, "stale", made, str(error))
        before: dict[str, str] = entry["inputs"]
        changed = sorted(
            key for key in now.keys() | before.keys() if now.get(key) != before.get(key)
        )
        if changed:
            return StageState(stage, "stale", made, f"changed: {', '.join(changed)}")
        gone = [made_id for kind, made_id in made.items() if not self._exists(kind, made_id)]
        if gone:
            return StageState(stage, "stale", made, f"deleted: {', '.join(gone)}")
        return StageState(stage, "fresh", made, "")

    def dataset(self) -> Dataset:
        """The newest dataset of this recipe."""
        return self._need(Dataset, "curate", "dataset")

    def golden_set(self) -> GoldenSet:
        """The newest golden set of this recipe."""
        return self._need(GoldenSet, "curate", "golden_set")

    def adapter(self) -> Adapter:
        """The newest adapter of this recipe."""
        return self._need(Adapter, "train", "adapter")

    def report(self) -> EvalReport:
        """The newest report of this recipe."""
        return self._need(EvalReport, "evaluate", "report")

    def _served(self) -> "list[Served]":
        """Every release as `name@version`, the champion also as `name`; unreleased, the newest adapter."""
        from tunesmith.engines.opening import Served
        from tunesmith.release.promotion import list_releases

        versions = list_releases(self.recipe.release, self.workspace, self.recipe.name)
        served = []
        for version in versions:
            if version.adapter_id in Adapter.ids(self.workspace):
                adapter = Adapter.load(self.workspace, version.adapter_id)
                one = Served.of(adapter, self.workspace)
                served.append(one._replace(name=f"{version.name}@{version.version}"))
                if "champion" in version.aliases:
                    served.append(one._replace(name=version.name))
        if not any(one.name == self.recipe.name for one in served):
            newest = self._newest(Adapter, "train", "adapter")
            if newest is not None:
                served.append(Served.of(newest, self.workspace)._replace(name=self.recipe.name))
        return served

    def _train_inputs(self) -> "TrainInputs":
        from tunesmith.curate.prompt_keys import prompt_key, prompt_keys
        from tunesmith.train.material import TrainInputs

        golden_set = self._newest(GoldenSet, "curate", "golden_set")
        cases = golden_set.cases(self.workspace) if golden_set else []
        golden = {prompt_key(case.messages) for case in cases}
        return TrainInputs(
            self.dataset(),
            self.recipe.model,
            self.recipe.name,
            is_golden=lambda example: not golden.isdisjoint(prompt_keys(example.messages)),
            answer_limit=self.recipe.evaluate.max_tokens,
        )

    def _train_or_resume(self) -> Adapter:
        try:
            return self.train(is_resumed=True)
        except NotMadeYetError:
            return self.train()

    def _inputs(self, stage: StageName) -> dict[str, str]:
        recipe, workspace = self.recipe, self.workspace
        if stage == "curate":
            return self._curate_inputs()
        if stage == "train":
            return {
                "dataset": self.dataset().id,
                "model": _hash(recipe.model),
                "train": _hash(recipe.train.model_copy(update={"sweep": SweepConfig()})),
                "name": recipe.name,
            }
        if stage == "evaluate":
            return {
                "adapter": self.adapter().id,
                "golden set": self.golden_set().id,
                "evaluate": _hash(recipe.evaluate),
                **_files_named_in(recipe.evaluate.model_dump(mode="json"), workspace),
            }
        report = self._newest(EvalReport, "evaluate", "report")
        return {
            "adapter": self.adapter().id,
            "report": report.id if report else "",
            "release": _hash(recipe.release),
            "name": recipe.name,
        }

    def _curate_inputs(self) -> dict[str, str]:
        from tunesmith.artifacts.review import ReviewLog
        from tunesmith.curate.loading import source_paths
        from tunesmith.lifecycle.probing import CrossProbe

        config, workspace = self.recipe.curate, self.workspace
        paths = source_paths(config, workspace)
        golden = workspace.path_of(config.golden) if config.golden else None
        if golden is not None and golden.is_file():
            paths = [*paths, golden]
        hashes = {workspace.shown(path): fingerprint.of_path(path) for path in paths}
        reviews = ReviewLog(workspace).path
        if reviews.is_file():
            hashes["review"] = fingerprint.of_file(reviews)
        own = _files_named_in(config.model_dump(mode="json")["filters"], workspace)
        # What a teacher would write matters once it has been written to a source.
        without = config.model_copy(update={"synthesize": None})
        if config.label_noise is not None and config.label_noise.by == "probe":
            own["probe"] = CrossProbe.of(self.recipe, workspace).fingerprint()
        return {**hashes, **own, "curate": _hash(without)}

    def _entries(self) -> dict[str, dict[str, dict[str, str]]]:
        path = self.workspace.state_path
        if not path.is_file():
            return {}
        entries: dict[str, dict[str, dict[str, str]]] = json.loads(path.read_text(encoding="utf-8"))
        return entries

    def _remember(self, stage: StageName, inputs: dict[str, str], made: dict[str, str]) -> None:
        entries = {**self._entries(), stage: {"inputs": inputs, "made": made}}
        write_text(self.workspace.state_path, json.dumps(entries, indent=2) + "\n")

    def _newest(self, kind: type[Kind], stage: StageName, key: str) -> Kind | None:
        made = self._entries().get(stage, {}).get("made", {}).get(key)
        try:
            return kind.load(self.workspace, made) if made else None
        except UnknownNameError:
            return None

    def _need(self, kind: type[Kind], stage: StageName, key: str) -> Kind:
        found = self._newest(kind, stage, key)
        if found is None:
            raise NotMadeYetError(key.replace("_", " "), made_by=f"tunesmith {stage}")
        return found

    def _exists(self, kind: str, artifact_id: str) -> bool:
        kinds: dict[str, type[Artifact]] = {
            "dataset": Dataset,
            "golden_set": GoldenSet,
            "adapter": Adapter,
            "report": EvalReport,
            "release": Release,
        }
        return artifact_id in kinds[kind].ids(self.workspace)


def _hash(section: Section) -> str:
    # Defaults are left out: a setting that a later version adds must not make everything stale.
    return fingerprint.of_json(section.model_dump(mode="json", exclude_defaults=True))


def _files_named_in(settings: Any, workspace: Workspace) -> dict[str, str]:
    """Hashes of the workspace's files that settings name: graders, schemas, fixtures."""
    if isinstance(settings, str):
        path = workspace.path_of(settings.partition(":")[0]) if len(settings) < 500 else Path()
        if path.is_file() and path.is_relative_to(workspace.root):
            return {workspace.shown(path): fingerprint.of_file(path)}
        return {}
    found: dict[str, str] = {}
    if isinstance(settings, dict):
        settings = [*settings, *settings.values()]
    for part in settings if isinstance(settings, list) else []:
        found |= _files_named_in(part, workspace)
    return found
