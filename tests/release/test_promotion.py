import pytest

from release.lineages import adapter_of, golden_set_of, report_of
from tunesmith.artifacts.release import Release
from tunesmith.errors import GateNotPassedError, NotMadeYetError, UnknownNameError
from tunesmith.release import promotion
from tunesmith.release.config import ReleaseConfig
from tunesmith.release.stage import ReleaseInputs, run
from tunesmith.stores.registry import Registry

CONFIG = ReleaseConfig(minimum=0.8)


@pytest.fixture
def release_of(workspace, dataset_of, monkeypatch):
    """Releases an adapter of the given seed whose report says what it is told to."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    dataset = dataset_of([("a", "b"), ("c", "d")])

    def release(seed: int, *, config: ReleaseConfig = CONFIG, **numbers) -> Release:
        adapter = adapter_of(workspace, dataset, seed=seed)
        report = report_of(workspace, adapter, **numbers)
        inputs = ReleaseInputs("bot", adapter, dataset, golden_set_of(workspace), report)
        return run(config, workspace, inputs, is_quiet=True)

    return release


def aliases(workspace) -> dict[str, int]:
    listed = promotion.list_releases(CONFIG, workspace, "bot")
    return {alias: version.version for version in listed for alias in version.aliases}


def test_a_first_release_that_passes_is_challenger_and_champion_and_knows_its_parents(
    workspace, release_of
):
    release = release_of(1)

    assert aliases(workspace) == {"challenger": 1, "champion": 1}
    assert release.parents == (
        release.adapter_id,
        release.dataset_id,
        release.golden_set_id,
        release.report_id,
    )
    assert release.metrics["eval/exact/tuned"] == 0.9
    assert release.base_name == "owner/small@0123abcd"
    assert Release.load(workspace, release.id) == release


def test_a_first_release_that_does_not_pass_is_challenger_only(workspace, release_of):
    release_of(1, tuned=12)

    assert aliases(workspace) == {"challenger": 1}


def test_a_later_release_waits_as_challenger_and_running_again_changes_nothing(
    workspace, release_of
):
    release_of(1)
    later = release_of(2, tuned=19)

    assert release_of(2, tuned=19) == later
    assert aliases(workspace) == {"champion": 1, "challenger": 2}
    assert len(Release.ids(workspace)) == 2


def test_an_unmeasured_adapter_is_registered_and_refused_promotion(
    workspace, dataset_of, release_of
):
    dataset = dataset_of([("a", "b")])
    adapter = adapter_of(workspace, dataset, seed=3)
    release = run(
        CONFIG, workspace, ReleaseInputs("bot", adapter, dataset, None, None), is_quiet=True
    )

    with pytest.raises(GateNotPassedError, match="nothing was measured"):
        promotion.promote(CONFIG, workspace, "bot", release.version)

    assert (release.report_id, release.golden_set_id) == (None, None)
    assert "train/train_loss" in release.metrics


def test_promotion_is_refused_below_a_gate_and_leaves_the_champion(workspace, release_of):
    release_of(1)
    release_of(2, tuned=15)

    with pytest.raises(GateNotPassedError) as refused:
        promotion.promote(CONFIG, workspace, "bot", "challenger")

    assert (refused.value.gate, refused.value.measured) == ("minimum", 0.75)
    assert aliases(workspace)["champion"] == 1

    forced = promotion.promote(CONFIG, workspace, "bot", 2, is_forced=True)

    assert "champion" in forced.aliases
    assert aliases(workspace)["champion"] == 2


def test_rolling_back_walks_through_the_earlier_champions_to_the_first(workspace, release_of):
    for seed in (1, 2, 3):
        release_of(seed)
        promotion.promote(CONFIG, workspace, "bot", seed)
    assert aliases(workspace)["champion"] == 3

    assert promotion.rollback(CONFIG, workspace, "bot").version == 2
    assert promotion.rollback(CONFIG, workspace, "bot").version == 1
    with pytest.raises(NotMadeYetError, match="before version 1"):
        promotion.rollback(CONFIG, workspace, "bot")
    assert aliases(workspace)["champion"] == 1


def test_promoting_the_champion_keeps_the_way_back(workspace, release_of):
    release_of(1)
    release_of(2)
    promotion.promote(CONFIG, workspace, "bot", 2)

    promotion.promote(CONFIG, workspace, "bot", 2)

    assert promotion.rollback(CONFIG, workspace, "bot").version == 1


def test_rolling_back_where_nothing_is_live_or_the_earlier_champion_is_gone_is_refused(
    workspace, release_of
):
    release_of(1, tuned=12)
    with pytest.raises(UnknownNameError, match="'champion'"):
        promotion.rollback(CONFIG, workspace, "bot")
    promotion.promote(CONFIG, workspace, "bot", 1, is_forced=True)
    release_of(2)
    promotion.promote(CONFIG, workspace, "bot", 2)
    from mlflow import MlflowClient

    MlflowClient(f"sqlite:///{workspace.mlflow_database}").delete_model_version("bot", "1")

    with pytest.raises(UnknownNameError, match="version of bot is called '1'"):
        promotion.rollback(CONFIG, workspace, "bot")

    assert aliases(workspace)["champion"] == 2


def test_show_reads_report_and_gates_from_the_registry_alone(workspace, release_of):
    release_of(1)
    report = Registry.open(None, workspace).report(
        promotion.list_releases(CONFIG, workspace, "bot")[0]
    )
    for path in workspace.folder("reports").rglob("manifest.json"):
        path.unlink()

    details = promotion.show(CONFIG, workspace, "bot", "champion")

    assert details.version.version == 1
    assert details.report == report
    assert details.metrics["eval/exact/change"] == 0.4
    assert [gate.is_passed for gate in details.gates] == [True, True]


def test_listing_before_any_release_is_empty_and_an_unknown_name_is_named(workspace, release_of):
    assert promotion.list_releases(CONFIG, workspace) == []
    release_of(1)

    assert [version.name for version in promotion.list_releases(CONFIG, workspace)] == ["bot"]
    with pytest.raises(UnknownNameError, match="'bit'"):
        promotion.show(CONFIG, workspace, "bit", 1)
    with pytest.raises(UnknownNameError, match="'9'"):
        promotion.promote(CONFIG, workspace, "bot", 9)
