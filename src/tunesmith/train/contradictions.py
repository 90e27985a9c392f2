"""Settings of the `train:` section that cannot be had together, each named with both values and the way out."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunesmith.train.config import TrainConfig


def contradictions(config: "TrainConfig") -> list[str]:
    """What in objective and workers contradicts the other settings."""
    return [*_of_objective(config), *_of_workers(config)]


def _of_objective(config: "TrainConfig") -> list[str]:
    problems = []
    if config.objective == "sft" and config.beta is not None:
        problems.append(
            f"objective: sft has no beta, got {config.beta}; leave it out or choose dpo, orpo or kto"
        )
    share = config.batch_size // config.workers
    if config.objective == "kto" and share < 2:
        problems.append(
            f"objective: kto compares the verdicts of a step with one another, and a worker has {share} of them;"
            f" raise batch_size, {config.batch_size}"
        )
    if config.objective != "sft" and config.init != "default":
        problems.append(
            f"init: {config.init} changes the base that objective: {config.objective} compares with;"
            " set init: default"
        )
    return problems


def _of_workers(config: "TrainConfig") -> list[str]:
    problems = []
    if config.sharding != "none" and config.workers == 1:
        problems.append(
            f"sharding: {config.sharding} spreads a run over workers, and workers is 1; raise it"
        )
    if config.sharding == "fsdp" and config.method == "full":
        problems.append(
            "sharding: fsdp spreads frozen weights, and method: full freezes none; set sharding: none"
        )
    if config.sharding != "none" and config.objective != "sft":
        problems.append(
            f"sharding: {config.sharding} is for objective: sft, got {config.objective}; set sharding: none"
        )
    if config.objective != "sft" and config.batch_size % config.workers:
        problems.append(
            f"objective: {config.objective} needs a batch_size that workers divides,"
            f" got {config.batch_size} and {config.workers}"
        )
    return problems
