"""What a training run will take, before it begins: memory by part, steps, tokens, time, cost, and what to change."""

from collections.abc import Callable
from typing import NamedTuple

from tunesmith.artifacts.adapter import TrainWarning
from tunesmith.train.config import TrainConfig
from tunesmith.train.devices import Device, find_device
from tunesmith.train.fitting import Advice, Fitting
from tunesmith.train.inspection import inspect
from tunesmith.train.material import Material
from tunesmith.train.memory import Memory, holding_of
from tunesmith.train.optimizers import choose_optimizer

EFFICIENCY = 0.35
"""Share of a GPU's data-sheet speed that a step is taken to reach where it cannot be measured."""
FORWARD_SHARE = 0.5
"""Of a step's time that validation takes for the same tokens: the backward pass to activations costs as much again."""


class Plan(NamedTuple):
    """Tested to be within 15 % of the real peak of memory on a CPU in five configurations."""

    device: str
    is_measured: bool
    """Whether time was measured on this machine, not worked out from a data sheet."""
    method: str
    holding: str
    """Of the base's weights: packed or unpacked."""
    optimizer: str
    parameters: int
    trained_parameters: int
    examples: int
    too_long: int
    """Examples above the sequence length, left out."""
    steps: int
    tokens: int
    """Real tokens over all epochs."""
    trained_tokens: int
    micro_batch_tokens: int
    """As the recipe says, or as `auto` picks it."""
    seconds: float | None
    """Of training and validation; None for a GPU of which only the memory is known."""
    cost: float | None
    """In the currency of the price; None without one."""
    memory: Memory
    """Of each process."""
    is_ample: bool
    """Whether freed tensors are kept for the next step, which is faster; the memory above is with or without that."""
    workers: int
    """Processes of the run."""
    needed_bytes: int
    """What those of them that share the device take together, with the one that starts them."""
    available_bytes: int
    fits: bool
    advice: Advice | None
    """What to change where it does not fit."""
    warnings: tuple[TrainWarning, ...]

    def as_json(self) -> dict[str, object]:
        """All of it, for programs."""
        advice = self.advice
        return self._asdict() | {
            "memory": {**self.memory._asdict(), "total": self.memory.total},
            "advice": advice and {**advice._asdict(), "memory": advice.memory._asdict()},
            "warnings": [warning.model_dump() for warning in self.warnings],
        }

    def shown(self) -> dict[str, str]:
        """The plan in words, by line."""
        share = 100 * self.trained_parameters / self.parameters
        parts = self.memory._asdict().items()
        return {
            "device": f"{self.device}, {_gib(self.available_bytes)} to use",
            "method": self.method + (f", weights {self.holding}" if self.method == "qlora" else ""),
            "optimizer": self.optimizer,
            "parameters": f"{self.parameters:,}, trained {self.trained_parameters:,} ({share:.2f} %)",
            "examples": f"{self.examples}"
            + (f", {self.too_long} too long" if self.too_long else ""),
            "steps": f"{self.steps}, micro-batches of at most {self.micro_batch_tokens:,} tokens",
            "tokens": f"{self.tokens:,}, of which trained {self.trained_tokens:,}",
            "memory": f"{_gib(self.memory.total)}: "
            + ", ".join(f"{name} {_gib(size)}" for name, size in parts if size),
            "freed tensors": "kept for the next step, which is faster"
            if self.is_ample
            else "given back at once, which takes the least memory",
            **self._workers_shown(),
            "time": self._time_shown(),
            **({"cost": f"{self.cost:.2f}"} if self.cost is not None else {}),
            "fits": self._fit_shown(),
        }

    def _workers_shown(self) -> dict[str, str]:
        if self.workers == 1:
            return {}
        return {
            "workers": f"{self.workers}, each with that; here together {_gib(self.needed_bytes)}"
        }

    def _time_shown(self) -> str:
        if self.seconds is None:
            return "not known for a GPU whose speed is not"
        source = "measured on this machine" if self.is_measured else "worked out from a data sheet"
        return f"about {_duration(self.seconds)}, validation included, {source}"

    def _fit_shown(self) -> str:
        if self.fits:
            return "yes"
        if self.advice is None:
            return "no, and no setting helps enough: choose a smaller model"
        less = _gib(self.advice.memory.total)
        return f"no; it would in {less} with {self.advice.shown} ({self.advice.harm})"


def make_plan(
    config: TrainConfig,
    material: Material,
    *,
    gpu: str | None = None,
    price_per_hour: float | None = None,
) -> Plan:
    """Plan a run from a micro-batch that is computed on a shallow copy of the model; no weights are loaded.

    Args:
        config: The recipe's `train:` section.
        material: What would be trained on.
        gpu: A GPU by name or size, instead of this machine.
        price_per_hour: Of the device, in any currency.

    Raises:
        UnknownNameError: If there is no GPU of that name.
    """
    device = find_device(gpu)
    fitting = Fitting(material, device)
    config = fitting.settled(config)
    budget, seen = fitting.budget(config), fitting.rehearsal(config)
    is_ample = fitting.is_ample(config, budget=budget)
    split = material.train
    trained = round(seen.weights.trained_parameters.at(seen.layers))
    fits = fitting.fits(config, budget=budget)
    parameters = material.parameters
    seconds = run_seconds(config, material, device, fitting.token_seconds)
    devices = config.workers // device.sharing(config.workers, config.engine)
    return Plan(
        device=device.shown,
        is_measured=device.is_here,
        method=config.method,
        holding=holding_of(config, device.kind),
        optimizer=choose_optimizer(config.optimizer, device.kind).shown,
        parameters=parameters,
        trained_parameters=trained,
        examples=len(split.examples),
        too_long=len(split.too_long),
        steps=len(material.steps(config)),
        tokens=split.tokens * config.epochs,
        trained_tokens=split.trained_tokens * config.epochs,
        micro_batch_tokens=budget,
        seconds=seconds,
        cost=_cost(seconds, price_per_hour and devices * price_per_hour),
        memory=fitting.memory(config, budget=budget, is_ample=is_ample),
        is_ample=is_ample,
        workers=config.workers,
        needed_bytes=fitting.needed_bytes(config, budget=budget, is_ample=is_ample),
        available_bytes=device.available_bytes,
        fits=fits,
        advice=None if fits else fitting.advise(config),
        warnings=inspect(config, material),
    )


def run_seconds(
    config: TrainConfig,
    material: Material,
    device: Device,
    token_seconds: Callable[[TrainConfig], float],
) -> float | None:
    """Of training, validation and, in preference tuning, the reference; None for a GPU of unknown speed.

    Args:
        config: The recipe's `train:` section.
        material: What would be trained on.
        device: Where.
        token_seconds: Measures a step on this machine, per real token.
    """
    train, validation = material.train, material.validation
    tokens = train.tokens * config.epochs
    tokens += round(FORWARD_SHARE * validation.tokens * max(config.evaluations, 1))
    if config.objective in ("dpo", "kto"):
        # The reference: every answer once, before the first step.
        tokens += round(FORWARD_SHARE * (train.tokens + validation.tokens))
    # Processes that share a device share its speed too.
    devices = config.workers // device.sharing(config.workers, config.engine)
    if device.is_here:
        return tokens * token_seconds(config) / devices
    if device.operations_per_second is None:
        return None
    # Forward, and backward to the activations: 2 products of 2 operations for each weight. Full training adds the
    # gradient of the weights themselves, checkpointing a second forward pass.
    products = (6 if config.method == "full" else 4) + (2 if config.gradient_checkpointing else 0)
    speed = EFFICIENCY * device.operations_per_second * devices
    return products * material.parameters * tokens / speed


def _cost(seconds: float | None, price_per_hour: float | None) -> float | None:
    if seconds is None or price_per_hour is None:
        return None
    return round(seconds / 3600 * price_per_hour, 4)


def _gib(size: float) -> str:
    return f"{size / 2**30:.2f} GiB"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
