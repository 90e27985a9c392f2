"""The release stage: Adapter x EvalReport -> Release, registered with its whole lineage."""

from typing import NamedTuple

from tunesmith.artifacts.adapter import Adapter
from tunesmith.artifacts.dataset import Dataset
from tunesmith.artifacts.eval_report import EvalReport
from tunesmith.artifacts.golden_set import GoldenSet
from tunesmith.artifacts.release import Release
from tunesmith.core import fingerprint
from tunesmith.core.progress import track
from tunesmith.core.workspace import Workspace
from tunesmith.release.config import ReleaseConfig
from tunesmith.release.gates import check
from tunesmith.stores.lineage import Lineage
from tunesmith.stores.registry import CHALLENGER, CHAMPION, Registry, Version


class ReleaseInputs(NamedTuple):
    """What is released, and under which name."""

    name: str
    """Name of the registered model."""
    adapter: Adapter
    dataset: Dataset
    golden_set: GoldenSet | None
    report: EvalReport | None


def run(
    config: ReleaseConfig, workspace: Workspace, inputs: ReleaseInputs, *, is_quiet: bool = False
) -> Release:
    """Register a version as challenger; while there is no champion, one that passes is that too.

    Running again with the same adapter and report returns the same release.

    Args:
        config: The recipe's `release:` section.
        workspace: Where the artifacts lie.
        inputs: The name, the adapter and what it came from.
        is_quiet: Show no progress.

    Raises:
        NotMadeYetError: If the adapter's weights are gone.
        TunesmithError: If the registry cannot be reached.
    """
    registry = Registry.open(config.tracking_uri, workspace)
    lineage = Lineage(inputs.adapter, inputs.dataset, inputs.golden_set, inputs.report)
    with track("releasing", 1, is_quiet=is_quiet) as progress:
        version = registry.register(inputs.name, lineage, tags=config.tags)
        progress.advance()
    registry.set_alias(inputs.name, CHALLENGER, version.version)
    is_passed = all(result.is_passed for result in check(config, inputs.report))
    if is_passed and registry.champion(inputs.name) is None:
        registry.set_alias(inputs.name, CHAMPION, version.version)
    return _release(inputs, registry, version).save(workspace)


def _release(inputs: ReleaseInputs, registry: Registry, version: Version) -> Release:
    parents = [inputs.adapter, inputs.dataset, inputs.golden_set, inputs.report]
    return Release(
        id=fingerprint.short_id("rel", [inputs.name, version.version, version.run_id]),
        parents=tuple(parent.id for parent in parents if parent),
        name=inputs.name,
        version=version.version,
        run_id=version.run_id,
        tracking_uri=registry.shown_uri,
        adapter_id=inputs.adapter.id,
        dataset_id=inputs.dataset.id,
        golden_set_id=inputs.golden_set.id if inputs.golden_set else None,
        report_id=inputs.report.id if inputs.report else None,
        base_name=inputs.adapter.base.name,
        metrics=registry.metrics(version),
    )
