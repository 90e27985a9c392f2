import json
import logging
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from release.lineages import adapter_of, golden_set_of, report_of
from tunesmith.core.workspace import Workspace
from tunesmith.errors import (
    MissingDependencyError,
    NotMadeYetError,
    TunesmithError,
    UnknownNameError,
)
from tunesmith.stores.lineage import Lineage
from tunesmith.stores.registry import Registry, without_secrets


@pytest.fixture(autouse=True)
def _no_configured_server(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def lineage(workspace, dataset_of) -> Lineage:
    dataset = dataset_of([("a", "b"), ("c", "d"), ("e", "f")], [("g", "h")])
    adapter = adapter_of(workspace, dataset)
    return Lineage(adapter, dataset, golden_set_of(workspace), report_of(workspace, adapter))


def plain_client(workspace: Workspace):
    from mlflow import MlflowClient

    uri = f"sqlite:///{workspace.mlflow_database}"
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def files_of(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_a_version_leads_to_its_dataset_base_files_and_metrics_through_mlflow_alone(
    workspace, lineage
):
    Registry.open(None, workspace).register("support-bot", lineage, tags={"team": "care"})

    client = plain_client(workspace)
    version = client.get_model_version("support-bot", "1")
    run = client.get_run(version.run_id)
    trained_on, judged_by = run.inputs.dataset_inputs
    assert trained_on.dataset.name == lineage.dataset.id
    assert trained_on.dataset.digest == lineage.dataset.id.removeprefix("ds_")
    assert json.loads(trained_on.dataset.profile)["train"] == 3
    folder = json.loads(trained_on.dataset.source)["uri"]
    assert folder == str(lineage.dataset.folder(workspace))
    assert judged_by.dataset.name == lineage.golden_set.id
    assert run.data.params["base"] == version.tags["base"] == "owner/small@0123abcd"
    assert version.tags["template_fingerprint"] == "f00d"
    assert version.tags["report_id"] == lineage.report.id
    assert version.tags["team"] == "care"
    assert run.data.params["targets"] == "q_proj, v_proj"
    assert run.data.metrics["train/validation_loss"] == 0.75
    assert run.data.metrics["eval/exact/base"] == 0.5
    assert run.data.metrics["eval/exact/tuned"] == 0.9
    assert client.get_experiment(run.info.experiment_id).name == "support-bot"
    assert run.info.status == "FINISHED"


def test_the_model_page_is_tied_to_its_run_and_its_run_to_the_model(workspace, lineage):
    registered = Registry.open(None, workspace).register("support-bot", lineage, tags={})

    client = plain_client(workspace)
    run = client.get_run(registered.run_id)
    (output,) = run.outputs.model_outputs
    model = client.get_logged_model(output.model_id)
    assert model.source_run_id == registered.run_id
    assert model.params["rank"] == "8"
    listed = json.loads(model.tags["mlflow.modelVersions"])
    assert [(version["name"], int(version["version"])) for version in listed] == [
        ("support-bot", 1)
    ]
    assert {metric.key: metric.value for metric in model.metrics}["eval/exact/tuned"] == 0.9
    assert "tuned 0.900" in client.get_model_version("support-bot", "1").description


def test_losses_are_kept_step_by_step_and_plot_report_and_manifests_as_files(
    workspace, lineage, monkeypatch
):
    monkeypatch.chdir(workspace.root)

    version = Registry.open(None, workspace).register("support-bot", lineage, tags={})

    client = plain_client(workspace)
    history = client.get_metric_history(version.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(1, 2.0), (2, 1.0)]
    history = client.get_metric_history(version.run_id, "eval_loss")
    assert [(point.step, point.value) for point in history] == [(1, 1.5), (2, 0.75)]
    kept = {
        file.path
        for folder in client.list_artifacts(version.run_id)
        for file in client.list_artifacts(version.run_id, folder.path)
    }
    assert kept == {
        "training/training.png",
        "training/history.jsonl",
        "training/manifest.json",
        "dataset/manifest.json",
        "golden_set/manifest.json",
        "report/report.html",
        "report/manifest.json",
    }
    assert not (workspace.root / "mlruns").exists()
    assert not (workspace.root / "mlflow.db").exists()


def test_weights_come_back_byte_for_byte_by_number_by_alias_and_by_mlflows_own_address(
    workspace, lineage, tmp_path, monkeypatch
):
    registry = Registry.open(None, workspace)
    registry.register("support-bot", lineage, tags={})
    registry.set_alias("support-bot", "champion", 1)
    local = files_of(lineage.adapter.weights_folder(workspace))

    by_number = files_of(registry.download("support-bot", 1))
    by_alias = files_of(registry.download("support-bot", "champion"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace.mlflow_database}")
    from mlflow.artifacts import download_artifacts

    (tmp_path / "copy").mkdir()
    address = "models:/support-bot@champion"
    by_mlflow = files_of(Path(download_artifacts(address, dst_path=str(tmp_path / "copy"))))

    assert len(local) == 3
    for found in (by_number, by_alias, by_mlflow):
        assert {name: found[name] for name in local} == local
    assert set(by_number) - set(local) == {"MLmodel"}


def test_the_same_adapter_and_report_is_registered_once_another_report_makes_a_version(
    workspace, lineage
):
    registry = Registry.open(None, workspace)
    first = registry.register("support-bot", lineage, tags={})

    again = Registry.open(None, workspace).register("support-bot", lineage, tags={})
    measured_anew = lineage._replace(report=report_of(workspace, lineage.adapter, tuned=17))
    second = registry.register("support-bot", measured_anew, tags={})

    assert again == first
    assert [version.version for version in registry.versions("support-bot")] == [1, 2]
    assert second.version == 2
    assert len(plain_client(workspace).search_runs([experiment_id(workspace)])) == 2


def experiment_id(workspace: Workspace) -> str:
    return plain_client(workspace).get_experiment_by_name("support-bot").experiment_id


def test_a_recording_that_breaks_leaves_a_failed_run_and_no_version(workspace, lineage):
    # MLflow allows the slash in the name of an experiment but not of a registered model.
    registry = Registry.open(None, workspace)

    with pytest.raises(TunesmithError, match="cannot contain '/'"):
        registry.register("support/bot", lineage, tags={})

    client = plain_client(workspace)
    experiment = client.get_experiment_by_name("support/bot")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FAILED"
    assert registry.names() == []


def test_an_adapter_without_weights_is_refused(workspace, lineage):
    registry = Registry.open(None, workspace)
    weights = lineage.adapter.weights_folder(workspace)
    weights.rename(weights.with_name("elsewhere"))

    with pytest.raises(NotMadeYetError, match="weights"):
        registry.register("support-bot", lineage, tags={})

    assert registry.versions("support-bot") == []


def test_an_alias_belongs_to_one_version_and_can_be_taken_away(workspace, lineage):
    registry = Registry.open(None, workspace)
    registry.register("support-bot", lineage, tags={})
    registry.register("support-bot", lineage._replace(report=None, golden_set=None), tags={})

    registry.set_alias("support-bot", "champion", 1)
    registry.set_alias("support-bot", "champion", 2)
    owners = [version.aliases for version in registry.versions("support-bot")]
    registry.delete_alias("support-bot", "champion")

    assert owners == [(), ("champion",)]
    assert registry.champion("support-bot") is None
    assert registry.report(registry.version("support-bot", 2)) is None
    assert registry.report(registry.version("support-bot", 1)) == lineage.report


def test_unknown_models_versions_and_aliases_say_what_there_is(workspace, lineage):
    registry = Registry.open(None, workspace)
    registry.register("support-bot", lineage, tags={})

    with pytest.raises(UnknownNameError) as no_model:
        registry.version("suport-bot", 1)
    with pytest.raises(UnknownNameError) as no_version:
        registry.download("support-bot", 7)

    assert no_model.value.fix == "did you mean 'support-bot'?"
    assert no_version.value.fix == "choose one of: 1"


def test_mlflow_stays_quiet_and_sends_no_telemetry(workspace, lineage):
    code = (
        "import sys; from pathlib import Path\n"
        "from tunesmith.core.workspace import Workspace\n"
        "from tunesmith.stores.registry import Registry\n"
        "Registry.open(None, Workspace(Path(sys.argv[1]))).versions('bot')\n"
        "from mlflow.telemetry.utils import is_telemetry_disabled\n"
        "print(is_telemetry_disabled())"
    )

    command = [sys.executable, "-c", code, str(workspace.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout == "True\n"
    assert done.stderr == ""
    assert logging.getLogger("mlflow.store").getEffectiveLevel() >= logging.WARNING


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:hunter2@db:5432/mlflow", "postgresql://db:5432/mlflow"),
        ("https://token:p@ss@mlflow.example/x", "https://mlflow.example/x"),
        (
            "https://mlflow.example/?access_token=abc&a=1",
            "https://mlflow.example/?access_token=***&a=1",
        ),
        ("sqlite:////srv/mlflow.db", "sqlite:////srv/mlflow.db"),
    ],
)
def test_no_secret_of_an_address_is_shown(address, shown):
    assert without_secrets(address) == shown


def test_a_registry_that_cannot_be_opened_is_named_without_its_password(workspace, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    registry = Registry.open("http://me:hunter2@127.0.0.1:9", workspace)

    with pytest.raises(TunesmithError) as failed:
        registry.names()

    assert "http://127.0.0.1:9" in failed.value.what
    assert "hunter2" not in failed.value.what + failed.value.fix


def test_a_missing_database_driver_is_named(workspace):
    with pytest.raises(MissingDependencyError, match="pymssql"):
        Registry.open("mssql+pymssql://me:hunter2@127.0.0.1:9/mlflow", workspace)


@pytest.fixture
def server(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    database, files = tmp_path / "server.db", tmp_path / "server-files"
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{database}", "--artifacts-destination", files]
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(f"{address}/health")
            yield address
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for(address: str) -> None:
    for _ in range(120):
        try:
            urllib.request.urlopen(address, timeout=2).close()  # noqa: S310  # our own http address
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise TimeoutError(address)


def test_a_server_keeps_all_of_it_and_gives_it_to_another_workspace(
    workspace, lineage, server, tmp_path
):
    Registry.open(server, workspace).register("support-bot", lineage, tags={})

    elsewhere = Registry.open(server, Workspace(tmp_path / "another-machine"))
    version = elsewhere.version("support-bot", 1)
    found = files_of(elsewhere.download("support-bot", 1))

    local = files_of(lineage.adapter.weights_folder(workspace))
    assert {name: found[name] for name in local} == local
    assert elsewhere.report(version) == lineage.report
    assert not workspace.mlflow_database.exists()
