"""`tunesmith train`: a plan, an adapter, or a sweep over settings."""

from typing import Annotated

from typer import Option

from tunesmith.cli.options import HERE, FolderOption, JsonOption, SetOption, open_lifecycle

PlanOption = Annotated[
    bool,
    Option("--plan", "--dry-run", help="Print memory, time, cost and warnings; train nothing."),
]
GpuOption = Annotated[
    str | None,
    Option(help="Plan for a GPU by name (`l4`, `rtx4090`) or memory (`24GB`), not this machine."),
]
PriceOption = Annotated[
    float | None, Option(min=0, help="Price of an hour, in any currency; `--plan` adds the cost.")
]
ResumeOption = Annotated[
    bool, Option("--resume", help="Continue an interrupted run from its last checkpoint.")
]


SweepOption = Annotated[
    bool,
    Option("--sweep", help="Try ranks, learning rates and epochs; goes on where it was stopped."),
]


def train(  # noqa: PLR0913  # a command's parameters are its options
    folder: FolderOption = HERE,
    is_plan: PlanOption = False,
    gpu: GpuOption = None,
    price: PriceOption = None,
    is_resumed: ResumeOption = False,
    is_sweep: SweepOption = False,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train an adapter on the newest dataset.

    Example: tunesmith train --plan --gpu 24GB --price 1.20
    Example: tunesmith train --sweep
    """
    from tunesmith.cli import render, render_sweep

    cycle = open_lifecycle(folder, overrides, is_quiet=as_json)
    if is_sweep:
        sweep = cycle.sweep()
        result = sweep.result() if is_plan else sweep.run(None if as_json else render_sweep.trial)
        render_sweep.sweep(result, cycle.workspace, as_json=as_json)
    elif is_plan or gpu or price is not None:
        render.plan(cycle.plan(gpu=gpu, price_per_hour=price), as_json=as_json)
    else:
        render.adapter(cycle.train(is_resumed=is_resumed), cycle.workspace, as_json=as_json)
