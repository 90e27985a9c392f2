"""Release: an adapter under a name and a version number in the registry, with its lineage."""

from typing import ClassVar

from tunesmith.artifacts.artifact import Artifact


class Release(Artifact):
    """One registered version of a model; which one is live, the registry says by alias."""

    kind: ClassVar[str] = "releases"

    name: str
    """Name of the registered model."""
    version: int
    """MLflow's version number, counted from 1 for each name."""
    run_id: str
    """MLflow run that holds the parameters, metrics and plots."""
    tracking_uri: str
    """Where the registry is, without user, password and tokens."""
    adapter_id: str
    dataset_id: str
    golden_set_id: str | None
    report_id: str | None
    """The measurement it was released on; None where it was released unmeasured."""
    base_name: str
    """`reference@revision` of the base model."""
    metrics: dict[str, float]
    """As logged in the run."""
