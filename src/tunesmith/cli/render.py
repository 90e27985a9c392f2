"""What commands print: tables for people, one JSON value for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tunesmith.artifacts.contradictions import need_contradictions

if TYPE_CHECKING:
    from tunesmith.artifacts.adapter import Adapter
    from tunesmith.artifacts.dataset import Dataset
    from tunesmith.artifacts.eval_report import EvalReport, Rate
    from tunesmith.artifacts.golden_set import GoldenSet
    from tunesmith.artifacts.release import Release
    from tunesmith.core.privacy.report import PrivacyReport
    from tunesmith.core.workspace import Workspace
    from tunesmith.lifecycle import StageState
    from tunesmith.recipe import Setting
    from tunesmith.release.promotion import Details
    from tunesmith.stores.registry import Version
    from tunesmith.train.plan import Plan

out = Console(highlight=False, soft_wrap=True)


def print_json(value: object) -> None:
    """One JSON value on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def facts(title: str, rows: Mapping[str, object]) -> None:
    """A title and what is known, a line each."""
    out.print(f"[bold]{escape(title)}[/bold]")
    grid = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        grid.add_row(f"  {name}", escape(str(value)))
    out.print(grid)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A plain table."""
    drawn = Table(*columns, box=None, padding=(0, 2, 0, 0), header_style="bold")
    for row in rows:
        drawn.add_row(*(escape(str(cell)) for cell in row))
    out.print(drawn)


def created(paths: list[Path], *, as_json: bool) -> None:
    """What `init` made."""
    if as_json:
        print_json([str(path) for path in paths])
        return
    for path in paths:
        out.print(f"  {escape(str(path))}")
    out.print(f"next: cd {escape(str(paths[0].parent))} && tunesmith run")


def curated(
    dataset: "Dataset", golden_set: "GoldenSet", workspace: "Workspace", *, as_json: bool
) -> None:
    """A dataset and a golden set."""
    prompts = need_contradictions(dataset, workspace).prompts
    if as_json:
        made = {"dataset": dataset.model_dump(), "golden_set": golden_set.model_dump()}
        print_json({**made, "contradictions": prompts})
        return
    table(
        ("file", "format", "read", "accepted", "rejected", "removed"),
        [(s.path, s.format, s.read, s.accepted, s.rejected, s.removed) for s in dataset.sources],
    )
    for source in dataset.sources:
        if source.guessed_encoding:
            out.print(
                f"[yellow]  {escape(source.path)}: read as {source.guessed_encoding} (guessed;"
                " curate.encoding sets another)[/yellow]"
            )
    removed = ", ".join(f"{count} {rule}" for rule, count in dataset.removed.items())
    tokens = dataset.tokens
    facts(
        f"dataset {dataset.id}",
        {
            "train": dataset.train_count,
            "validation": dataset.validation_count,
            "golden": f"{golden_set.count} ({golden_set.id}, {golden_set.origin})",
            "removed": f"{removed}; `tunesmith curate removed` lists them"
            if removed
            else "nothing",
            **({"tokens": f"{tokens.median} median, {tokens.longest} longest"} if tokens else {}),
            "folder": workspace.shown(dataset.folder(workspace)),
        },
    )
    if prompts:
        told = "1 prompt has" if prompts == 1 else f"{prompts} prompts have"
        shows = "`tunesmith curate contradictions` shows them"
        out.print(f"[yellow]  {told} answers that contradict each other:[/yellow] {shows}")
    unused_mappings(dataset.unused_mappings)
    _personal_data(dataset.privacy_report(workspace))


def unused_mappings(patterns: Sequence[str]) -> None:
    """A warning for each mapping that fits no source."""
    for pattern in patterns:
        out.print(
            f"[yellow]warning: no source fits the mapping of {escape(repr(pattern))}[/yellow], so it is not used;"
            " correct `files` in curate.mapping"
        )


def _personal_data(report: "PrivacyReport | None") -> None:
    if report is None or not report.by_type:
        return
    listing = ", ".join(f"{count} {kind}" for kind, count in report.by_type.items())
    if report.mode == "mask":
        out.print(f"  personal data replaced: {listing}; see privacy.md in the folder")
        return
    out.print(
        f"[yellow]  {report.with_personal_data} of {report.looked_at} rows looked at seem to hold personal"
        f" data:[/yellow] {listing}\n  to replace it before anything is stored:"
        " `tunesmith curate --set curate.privacy.mode=mask`; to say it is none: `mode=off`"
    )


def plan(made: "Plan", *, as_json: bool) -> None:
    """What training will take."""
    if as_json:
        print_json(made.as_json())
        return
    facts("plan", made.shown())
    for warning in made.warnings:
        out.print(f"[yellow]warning: {escape(warning.message)}[/yellow]")
        out.print(f"    fix: {escape(warning.fix)}")


def adapter(made: "Adapter", workspace: "Workspace", *, as_json: bool) -> None:
    """A trained adapter."""
    if as_json:
        print_json(made.model_dump())
        return
    metrics = made.metrics
    validation = metrics.validation_loss
    facts(
        f"adapter {made.id}",
        {
            "base": f"{made.base.name} ({made.base.quantization})",
            "training loss": f"{metrics.train_loss:.4f}",
            **(
                {"validation loss": f"{validation:.4f} at step {metrics.best_step}"}
                if validation
                else {}
            ),
            "steps": f"{metrics.steps} in {metrics.seconds:.0f} s, {metrics.tokens_per_second:.0f} tokens/s",
            "weights": workspace.shown(made.weights_folder(workspace)),
            "curves": workspace.shown(made.plot_path(workspace)),
        },
    )


def report(made: "EvalReport", workspace: "Workspace", *, as_json: bool) -> None:
    """An evaluation."""
    if as_json:
        print_json(made.model_dump())
        return
    table(
        ("grader", "base", "95 % interval", "tuned", "95 % interval", "change"),
        [
            (
                result.grader + (" (secondary)" if result.is_secondary else ""),
                _percent(result.base.mean),
                _interval(result.base),
                _percent(result.tuned.mean),
                _interval(result.tuned),
                f"{100 * result.change.mean:+.1f}",
            )
            for result in made.results
        ],
    )
    outcome(made, workspace)


def outcome(made: "EvalReport", workspace: "Workspace") -> None:
    """The deciding numbers, and where to look."""
    primary = made.primary
    change = primary.change
    p_value = f", exact McNemar p = {change.p_value:.2g}" if change.p_value is not None else ""
    rates = {
        title: f"{_percent(rate.mean)} ({rate.passed} of {rate.graded}), 95 % interval {_interval(rate)}"
        + (f", {rate.ungraded} ungraded" if rate.ungraded else "")
        for title, rate in (("base", primary.base), ("tuned", primary.tuned))
    }
    points = f"{100 * change.mean:+.1f} points, 95 % interval {100 * change.low:+.1f} to {100 * change.high:+.1f}"
    facts(
        f"golden accuracy by {primary.grader}",
        {**rates, "change": points + p_value, "report": workspace.shown(made.html_path(workspace))},
    )


def release(made: "Release", workspace: "Workspace", *, as_json: bool) -> None:
    """A registered version."""
    if as_json:
        print_json(made.model_dump())
        return
    facts(
        f"{made.name} version {made.version}",
        {
            "adapter": made.adapter_id,
            "dataset": made.dataset_id,
            "base": made.base_name,
            "report": made.report_id or "never measured",
            "registry": made.tracking_uri,
            "look": f"mlflow ui --backend-store-uri {made.tracking_uri}",
        },
    )


def versions(found: "Sequence[Version]", *, as_json: bool) -> None:
    """Versions with their aliases."""
    if as_json:
        print_json([version._asdict() for version in found])
        return
    if not found:
        out.print("nothing is released yet: run `tunesmith release`")
        return
    table(
        ("model", "version", "aliases", "adapter", "created"),
        [(v.name, v.version, ", ".join(v.aliases), v.adapter_id, v.created) for v in found],
    )


def details(found: "Details", *, as_json: bool) -> None:
    """One version, with gates."""
    version = found.version
    if as_json:
        gates = [gate._asdict() for gate in found.gates]
        print_json({**version._asdict(), "metrics": found.metrics, "gates": gates})
        return
    facts(f"{version.name} version {version.version}", dict(version.tags))
    table(("metric", "value"), [(name, f"{value:.4g}") for name, value in found.metrics.items()])
    for gate in found.gates:
        out.print(f"{'passed' if gate.is_passed else 'failed'}: {escape(gate.sentence)}")


def serving(url: str, models: Sequence[str], *, as_json: bool) -> None:
    """Where the endpoint listens, before it blocks."""
    if as_json:
        out.print_json(data={"url": url, "models": list(models)}, indent=None)
        return
    facts(f"serving at {url} (Ctrl-C stops)", {"models": ", ".join(models)})


def studio(url: str, *, as_json: bool) -> None:
    """Where the studio's review page is, before it blocks."""
    if as_json:
        out.print_json(data={"url": url}, indent=None)
        return
    out.print(f"[bold]review at {url}[/bold] (Ctrl-C stops)")


def names(found: Sequence[str], *, as_json: bool) -> None:
    """Names, a line each."""
    if as_json:
        print_json(list(found))
        return
    for name in found:
        out.print(escape(name))


def stage(state: "StageState") -> None:
    """A stage that is about to be run or skipped."""
    if state.freshness == "fresh":
        out.print(f"[bold]{state.stage}[/bold]: unchanged, skipped")
    else:
        out.print(f"[bold]{state.stage}[/bold]: {escape(state.reason)}")


def state(found: "StageState", *, as_json: bool) -> None:
    """What a stage would do."""
    if as_json:
        print_json(found._asdict())
        return
    doing = "nothing, it is fresh" if found.freshness == "fresh" else f"run, {found.reason}"
    out.print(f"would {escape(doing)}")


def status(states: "Sequence[StageState]", settings: "Sequence[Setting]", *, as_json: bool) -> None:
    """All stages, and the settings if asked for."""
    if as_json:
        explained = [setting._asdict() for setting in settings]
        print_json({"stages": [found._asdict() for found in states], "settings": explained})
        return
    table(
        ("stage", "state", "made", "why"),
        [
            (found.stage, found.freshness, ", ".join(found.made.values()), found.reason)
            for found in states
        ],
    )
    if settings:
        out.print()
        table(("setting", "value", "from"), settings)


def named(kind: str, found: Mapping[str, str], *, as_json: bool) -> None:
    """Graders or filters with what they do."""
    if as_json:
        print_json(found)
        return
    table((kind, "what it does"), found.items())


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _interval(rate: "Rate | Any") -> str:
    return f"{100 * rate.low:.1f} to {100 * rate.high:.1f}"
