"""Registry: released models, their versions, aliases and files in MLflow."""

import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

from tunesmith.artifacts.artifact import MANIFEST_NAME
from tunesmith.artifacts.eval_report import EvalReport
from tunesmith.core.workspace import Workspace
from tunesmith.errors import MissingDependencyError, TunesmithError, UnknownNameError
from tunesmith.stores import trials
from tunesmith.stores.lineage import Lineage
from tunesmith.stores.recording import REPORT_FOLDER, Recording
from tunesmith.stores.trials import TrialRecord

CHAMPION = "champion"
"""Alias of the version that production calls."""
CHALLENGER = "challenger"
"""Alias of the version released last."""
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # Waits double from 2 s: three tries find a dead server in 15 s, MLflow's seven in 4 minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
}
"""Set before MLflow is imported, where the user has not set them."""


class Version(NamedTuple):
    """One registered version of a model."""

    name: str
    version: int
    adapter_id: str
    aliases: tuple[str, ...]
    created: datetime
    tags: dict[str, str]
    run_id: str


class Registry:
    """An MLflow tracking and model store; every failure of MLflow leaves it as a TunesmithError."""

    def __init__(self, client: Any, uri: str, workspace: Workspace) -> None:
        self._client, self._uri, self._workspace = client, uri, workspace

    @classmethod
    def open(cls, tracking_uri: str | None, workspace: Workspace) -> Self:
        """The registry at `tracking_uri`, else at `$MLFLOW_TRACKING_URI`, else in the workspace.

        A database is created where there is none; its artifacts lie in the workspace. A server
        (http, https) keeps artifacts where it was told to.

        Raises:
            MissingDependencyError: If MLflow or the database's driver is not installed.
            TunesmithError: If the registry cannot be opened.
        """
        configured = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI")
        uri = configured or f"sqlite:///{workspace.mlflow_database}"
        for key, value in ENVIRONMENT.items():
            os.environ.setdefault(key, value)
        with _boundary(uri):
            from mlflow import MlflowClient

            for logger in ("mlflow", "alembic"):
                logging.getLogger(logger).setLevel(logging.WARNING)
            return cls(MlflowClient(tracking_uri=uri, registry_uri=uri), uri, workspace)

    @property
    def shown_uri(self) -> str:
        """Where the registry is, without secrets; the only form that is kept or printed."""
        return without_secrets(self._uri)

    def register(self, name: str, lineage: Lineage, *, tags: dict[str, str]) -> Version:
        """Record a run with all that `lineage` holds and register its weights as the next version.

        The same adapter with the same report is registered once; asked again, that version is
        returned. A version is created last, so that an interrupted call leaves none.

        Args:
            name: Of the registered model and of the experiment that holds its runs.
            lineage: What is released.
            tags: The user's own, beside those that tie a version to its adapter, data and report.

        Raises:
            NotMadeYetError: If the adapter's weights are gone.
        """
        report_id = lineage.report.id if lineage.report else None
        for version in self.versions(name):
            same = version.adapter_id == lineage.adapter.id
            if same and version.tags.get("report_id") == report_id:
                return version
        with _boundary(self._uri):
            recording = Recording(self._client, self._workspace, lineage)
            number = recording.register(name, self._experiment(name), tags)
        return self.version(name, number)

    def record_trial(self, experiment: str, trial: TrialRecord) -> str:
        """Record a sweep's trial as a run of this experiment, and register nothing; returns the run's id."""
        with _boundary(self._uri):
            return trials.record(self._client, self._experiment(experiment), trial)

    def names(self) -> list[str]:
        """Names of all registered models."""
        with _boundary(self._uri):
            return sorted(model.name for model in _pages(self._client.search_registered_models))

    def versions(self, name: str) -> list[Version]:
        """All versions of a model, oldest first; none where the name is not registered."""
        if name not in self.names():
            return []
        with _boundary(self._uri):
            aliases = self._client.get_registered_model(name).aliases
            found = _pages(self._client.search_model_versions, filter_string=f"name='{name}'")
            versions = [_version(version, aliases) for version in found]
        return sorted(versions, key=lambda version: version.version)

    def version(self, name: str, which: int | str) -> Version:
        """The version with this number or alias.

        Raises:
            UnknownNameError: If the model, the number or the alias is unknown.
        """
        versions = self.versions(name)
        if not versions:
            raise UnknownNameError("registered model", name, self.names())
        for version in versions:
            if str(which) == str(version.version) or which in version.aliases:
                return version
        known = {label for each in versions for label in (str(each.version), *each.aliases)}
        raise UnknownNameError(f"version of {name}", str(which), known)

    def champion(self, name: str) -> Version | None:
        """The version that production calls, if there is one."""
        return self._aliased(name, CHAMPION)

    def challenger(self, name: str) -> Version | None:
        """The version released last, if there is one."""
        return self._aliased(name, CHALLENGER)

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Point an alias at a version; it leaves the version that had it."""
        with _boundary(self._uri):
            self._client.set_registered_model_alias(name, alias, str(version))

    def delete_alias(self, name: str, alias: str) -> None:
        """Take an alias away; the version stays."""
        with _boundary(self._uri):
            self._client.delete_registered_model_alias(name, alias)

    def set_tag(self, name: str, version: int, key: str, value: str | None) -> None:
        """Set a version's tag, or with None remove it."""
        with _boundary(self._uri):
            if value is None:
                self._client.delete_model_version_tag(name, str(version), key)
            else:
                self._client.set_model_version_tag(name, str(version), key, value)

    def metrics(self, version: Version) -> dict[str, float]:
        """The final `train/` and `eval/` numbers of a version's run."""
        with _boundary(self._uri):
            found = self._client.get_run(version.run_id).data.metrics
        return {key: value for key, value in found.items() if key.startswith(("train/", "eval/"))}

    def report(self, version: Version) -> EvalReport | None:
        """The measurement a version was released on, as kept in the registry."""
        if "report_id" not in version.tags:
            return None
        with tempfile.TemporaryDirectory() as folder, _boundary(self._uri):
            path = self._client.download_artifacts(
                version.run_id, f"{REPORT_FOLDER}/{MANIFEST_NAME}", folder
            )
            return EvalReport.model_validate_json(Path(path).read_text(encoding="utf-8"))

    def download(self, name: str, which: int | str) -> Path:
        """The folder with a version's weights as peft loads them, fetched once and then kept.

        Raises:
            UnknownNameError: If there is no such version.
        """
        version = self.version(name, which)
        target = self._workspace.folder("downloads") / version.run_id
        if target.is_dir():
            return target
        with tempfile.TemporaryDirectory(dir=target.parent) as temporary, _boundary(self._uri):
            from mlflow.artifacts import download_artifacts

            uri = self._client.get_model_version_download_uri(name, str(version.version))
            found = download_artifacts(uri, dst_path=temporary, tracking_uri=self._uri)
            shutil.move(found, target)
        return target

    def _aliased(self, name: str, alias: str) -> Version | None:
        return next((found for found in self.versions(name) if alias in found.aliases), None)

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        is_server = self._uri.startswith(("http://", "https://"))
        location = None if is_server else self._workspace.mlflow_artifacts.as_uri()
        return str(self._client.create_experiment(name, artifact_location=location))


def without_secrets(text: str) -> str:
    """The text without user and password in its addresses, and without values of secret options.

    >>> without_secrets("postgresql://me:hunter2@db:5432/mlflow?password=x")
    'postgresql://db:5432/mlflow?password=***'
    """
    text = re.sub(r"(?<=://)[^/\s]*@", "", text)
    return re.sub(r"(?i)([?&][^=&\s]*(?:password|token|secret)[^=&\s]*=)[^&\s]*", r"\1***", text)


@contextmanager
def _boundary(uri: str) -> Iterator[None]:
    shown = without_secrets(uri)
    try:
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError
    except ModuleNotFoundError as error:
        raise _missing(error, shown) from error
    try:
        yield
    except ModuleNotFoundError as error:
        raise _missing(error, shown) from error
    except (MlflowException, SQLAlchemyError) as error:
        first_line = without_secrets(str(error)).partition("\n")[0]
        raise TunesmithError(
            f"the registry at {shown} refused: {first_line}",
            fix="check `release.tracking_uri` and $MLFLOW_TRACKING_URI, and that the server is up",
        ) from error


def _missing(error: ModuleNotFoundError, shown: str) -> MissingDependencyError:
    package = error.name or "mlflow"
    return MissingDependencyError(
        package, needed_for=f"the registry at {shown}", install=f"pip install {package}"
    )


def _pages(search: Any, **arguments: Any) -> Iterator[Any]:
    token = None
    while True:
        page = search(**arguments, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _version(found: Any, aliases: dict[str, object]) -> Version:
    number = int(found.version)
    own = sorted(alias for alias, owner in aliases.items() if str(owner) == str(number))
    return Version(
        name=found.name,
        version=number,
        adapter_id=found.tags.get("adapter_id", ""),
        aliases=tuple(own),
        created=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
        tags=dict(found.tags),
        run_id=found.run_id or "",
    )
