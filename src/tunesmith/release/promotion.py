"""Promotion: which version is live, why, and the way back."""

from typing import NamedTuple

from tunesmith.artifacts.eval_report import EvalReport
from tunesmith.core.workspace import Workspace
from tunesmith.errors import NotMadeYetError
from tunesmith.release.config import ReleaseConfig
from tunesmith.release.gates import GateResult, check, require
from tunesmith.stores.registry import CHAMPION, Registry, Version

PREVIOUS = "previous_champion"
"""Tag of a champion: the number of the version it took over from."""


class Details(NamedTuple):
    """All that is known of one version."""

    version: Version
    metrics: dict[str, float]
    report: EvalReport | None
    gates: list[GateResult]
    """Held against the recipe as it is now."""


def list_releases(
    config: ReleaseConfig, workspace: Workspace, name: str | None = None
) -> list[Version]:
    """Versions of one model, or of all models, oldest first; empty where nothing was released."""
    registry = Registry.open(config.tracking_uri, workspace)
    names = [name] if name else registry.names()
    return [version for each in names for version in registry.versions(each)]


def show(config: ReleaseConfig, workspace: Workspace, name: str, which: int | str) -> Details:
    """One version with its metrics, its report and the gates.

    Raises:
        UnknownNameError: If there is no such model, number or alias.
    """
    registry = Registry.open(config.tracking_uri, workspace)
    version = registry.version(name, which)
    report = registry.report(version)
    return Details(version, registry.metrics(version), report, check(config, report))


def promote(
    config: ReleaseConfig,
    workspace: Workspace,
    name: str,
    which: int | str,
    *,
    is_forced: bool = False,
) -> Version:
    """Make a version the champion, if the report it was released on passes the recipe's gates.

    Promoting the champion changes nothing.

    Args:
        config: The recipe's `release:` section.
        workspace: Where the registry is, unless the section names another.
        name: Registered model.
        which: Version number, or an alias such as `challenger`.
        is_forced: Promote whatever the gates say.

    Raises:
        UnknownNameError: If there is no such model, number or alias.
        GateNotPassedError: If a gate is not passed.
    """
    registry = Registry.open(config.tracking_uri, workspace)
    version = registry.version(name, which)
    champion = registry.champion(name)
    if champion and champion.version == version.version:
        return champion
    if not is_forced:
        require(check(config, registry.report(version)))
    previous = str(champion.version) if champion else None
    if previous or PREVIOUS in version.tags:
        registry.set_tag(name, version.version, PREVIOUS, previous)
    registry.set_alias(name, CHAMPION, version.version)
    return registry.version(name, version.version)


def rollback(config: ReleaseConfig, workspace: Workspace, name: str) -> Version:
    """Make the version that the champion took over from champion again; repeated, go further back.

    Raises:
        UnknownNameError: If there is no such model, no champion, or the earlier one was deleted.
        NotMadeYetError: If there was no champion before this one.
    """
    registry = Registry.open(config.tracking_uri, workspace)
    champion = registry.version(name, CHAMPION)
    previous = champion.tags.get(PREVIOUS)
    if previous is None:
        raise NotMadeYetError(
            f"champion of {name} before version {champion.version}",
            made_by="tunesmith release promote",
        )
    earlier = registry.version(name, previous)
    registry.set_alias(name, CHAMPION, earlier.version)
    registry.set_tag(name, champion.version, PREVIOUS, None)
    return registry.version(name, earlier.version)
