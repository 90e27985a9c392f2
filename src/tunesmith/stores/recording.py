"""Recording: one MLflow run that holds everything a version came from, and the version itself."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.artifacts.artifact import MANIFEST_NAME, Artifact
from tunesmith.core.workspace import Workspace
from tunesmith.errors import NotMadeYetError
from tunesmith.stores import lineage as facts
from tunesmith.stores.lineage import Lineage, Point

REPORT_FOLDER = "report"
"""Folder of the evaluation report among a run's files."""
PARAMETERS_PER_CALL = 100
"""MLflow takes no more parameters in one call."""
METRICS_PER_CALL = 1000
"""MLflow takes no more metrics in one call."""


class Recording(NamedTuple):
    """Writes one lineage through one MlflowClient."""

    client: Any
    workspace: Workspace
    lineage: Lineage

    def register(self, name: str, experiment_id: str, tags: dict[str, str]) -> int:
        """Record the run, upload the weights and register them; the number of the new version.

        Whatever interrupts it, Ctrl-C included, marks the run as failed and leaves no version.

        Raises:
            NotMadeYetError: If the adapter's weights are gone.
        """
        if not any(self._weights.glob("*.safetensors")):
            # MLflow would upload the empty folder without a word.
            missing = f"weights in {self.workspace.shown(self._weights)}"
            raise NotMadeYetError(missing, made_by="tunesmith train")
        tags = tags | facts.tags(self.lineage)
        run_name = {"mlflow.runName": self.lineage.adapter.id}
        run_id = self.client.create_run(experiment_id, tags=tags | run_name).info.run_id
        try:
            model = self._upload(name, experiment_id, run_id, tags)
            self._log_inputs(run_id)
            self._log_numbers(run_id, model.model_id)
            self._log_files(run_id)
            self.client.set_terminated(run_id, "FINISHED")
            return self._create_version(name, model, run_id, tags)
        except BaseException:
            self.client.set_terminated(run_id, "FAILED")
            raise

    @property
    def _weights(self) -> Path:
        return self.lineage.adapter.weights_folder(self.workspace)

    def _upload(self, name: str, experiment_id: str, run_id: str, tags: dict[str, str]) -> Any:
        from mlflow.entities import LoggedModelOutput

        model = self.client.create_logged_model(
            experiment_id,
            # MLflow takes fewer characters here than in the name of a registered model.
            name="".join("-" if sign in "/:.%\"'" else sign for sign in name),
            source_run_id=run_id,
            tags=tags,
            params=facts.parameters(self.lineage.adapter),
            model_type=f"{self.lineage.adapter.method} adapter",
        )
        self.client.log_model_artifacts(model.model_id, str(self._weights))
        with tempfile.TemporaryDirectory() as folder:
            self._describe(Path(folder), run_id, model.model_id)
            self.client.log_model_artifacts(model.model_id, folder)
        self.client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
        return self.client.finalize_logged_model(model.model_id, "READY")

    def _describe(self, folder: Path, run_id: str, model_id: str) -> None:
        # Without an MLmodel file, MLflow takes a folder for plain files, not for a model.
        from mlflow.models import Model

        model = Model(run_id=run_id, model_uuid=model_id, model_id=model_id)
        model.add_flavor("tunesmith", layout="peft", **facts.tags(self.lineage))
        model.save(str(folder / "MLmodel"))

    def _create_version(self, name: str, model: Any, run_id: str, tags: dict[str, str]) -> int:
        from mlflow.exceptions import MlflowException

        try:
            self.client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        # The place itself, not `models:/<id>`: that is looked up in the process's own registry.
        version = self.client.create_model_version(
            name,
            model.artifact_location,
            run_id,
            tags=tags,
            description=facts.summary(self.lineage),
            model_id=model.model_id,
        )
        # What MLflow's own `register_model` leaves, so that the model's page leads to its version.
        versions = [{"name": name, "version": version.version}]
        page_tag = {"mlflow.modelVersions": json.dumps(versions)}
        self.client.set_logged_model_tags(model.model_id, page_tag)
        return int(version.version)

    def _log_inputs(self, run_id: str) -> None:
        _, dataset, golden_set, _ = self.lineage
        counts = {
            "num_rows": dataset.train_count + dataset.validation_count,
            "train": dataset.train_count,
            "validation": dataset.validation_count,
        }
        inputs = [self._input(dataset, counts, "training")]
        if golden_set:
            inputs.append(self._input(golden_set, {"num_rows": golden_set.count}, "evaluation"))
        self.client.log_inputs(run_id, inputs)

    def _input(self, artifact: Artifact, counts: dict[str, int], context: str) -> Any:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        recorded = Dataset(
            name=artifact.id,
            digest=artifact.id.rpartition("_")[2],
            source_type="local",
            source=json.dumps({"uri": str(artifact.folder(self.workspace))}),
            profile=json.dumps(counts),
        )
        return DatasetInput(recorded, [InputTag("mlflow.data.context", context)])

    def _log_numbers(self, run_id: str, model_id: str) -> None:
        from mlflow.entities import Metric, Param

        adapter = self.lineage.adapter
        final = facts.metrics(self.lineage)
        points = facts.history(adapter, self.workspace)
        points += [Point(key, value, adapter.metrics.steps) for key, value in final.items()]
        now = int(time.time() * 1000)
        measured = [Metric(*point[:2], now, point.step, model_id=model_id) for point in points]
        for start in range(0, len(measured), METRICS_PER_CALL):
            self.client.log_batch(run_id, metrics=measured[start : start + METRICS_PER_CALL])
        parameters = [Param(key, value) for key, value in facts.parameters(adapter).items()]
        for start in range(0, len(parameters), PARAMETERS_PER_CALL):
            self.client.log_batch(run_id, params=parameters[start : start + PARAMETERS_PER_CALL])

    def _log_files(self, run_id: str) -> None:
        adapter, dataset, golden_set, report = self.lineage
        files = [
            (adapter.plot_path(self.workspace), "training"),
            (adapter.history_path(self.workspace), "training"),
            (adapter.folder(self.workspace) / MANIFEST_NAME, "training"),
            (dataset.folder(self.workspace) / MANIFEST_NAME, "dataset"),
        ]
        if golden_set:
            files.append((golden_set.folder(self.workspace) / MANIFEST_NAME, "golden_set"))
        if report:
            files.append((report.html_path(self.workspace), REPORT_FOLDER))
        for path, folder in files:
            if path.is_file():
                self.client.log_artifact(run_id, str(path), folder)
        if report:
            manifest = report.model_dump_json(indent=2)
            self.client.log_text(run_id, manifest, f"{REPORT_FOLDER}/{MANIFEST_NAME}")
