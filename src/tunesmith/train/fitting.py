"""Settings that fit into memory: the micro-batch that `auto` takes, and what to change where nothing fits."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tunesmith.core.allocator import trim
from tunesmith.errors import DoesNotFitError
from tunesmith.models.loading import Holding, device_name
from tunesmith.models.template import Encoded
from tunesmith.train.config import TrainConfig
from tunesmith.train.devices import Device, find_device
from tunesmith.train.material import Material
from tunesmith.train.memory import Memory, estimate, holding_of
from tunesmith.train.micro_batch import MicroBatch, largest
from tunesmith.train.rehearsal import Activations, Rehearsal, text_settings
from tunesmith.train.team import Team

RESERVE = 0.9
"""Share of the memory that a run may take; allocators and the rest of the system need some."""
BEST_TOKENS = {"cpu": 2048, "cuda": 16_384}
"""Micro-batch from which a larger one is no faster."""
SMALLEST_TOKENS = 64
"""Micro-batch that is not halved further."""
REHEARSED_TOKENS = 2048
"""Tokens of a rehearsal: all of a micro-batch on a CPU; what a larger one takes is scaled up from its first rows."""

Shape = tuple[tuple[int, ...], ...]
EASY_SHARE = 0.5
"""Share of the memory that a generous bound may take for a run to begin without a rehearsal."""


class Advice(NamedTuple):
    """Changed settings under which a run fits."""

    settings: dict[str, Any]
    """By name in the `train:` section, the least harmful first."""
    harm: str
    """What the last of them costs."""
    memory: Memory

    @property
    def shown(self) -> str:
        """The settings as lines of a recipe, joined by commas."""
        return ", ".join(f"train.{name}: {_yaml(value)}" for name, value in self.settings.items())


class Fit(NamedTuple):
    """What a recipe may leave open, decided."""

    tokens: int
    """Of a micro-batch, at most."""
    holding: Holding
    """Of the base's weights."""
    is_ample: bool = False
    """Whether memory suffices to keep freed tensors for the next step, which is faster."""


class Fitting:
    """Answers what a run takes under changed settings; computes each kind of step once."""

    def __init__(self, material: Material, device: Device) -> None:
        """Nothing is computed before it is asked for."""
        self._material, self._device = material, device
        self._rehearsals: dict[TrainConfig, Rehearsal] = {}
        self._activations: dict[tuple[TrainConfig, Shape], Activations] = {}

    def rehearsal(self, config: TrainConfig) -> Rehearsal:
        """A rehearsal with what changes a step: method, adapter, checkpointing."""
        kind = _kind(config)
        if kind not in self._rehearsals:
            self._rehearsals[kind] = Rehearsal(kind, self._material)
        return self._rehearsals[kind]

    def memory(self, config: TrainConfig, *, budget: int, is_ample: bool = False) -> Memory:
        """What each process of a run takes with micro-batches of at most `budget` tokens.

        Args:
            config: The recipe's `train:` section.
            budget: Tokens of a micro-batch.
            is_ample: Whether freed tensors are kept for the next step.
        """
        seen = self.rehearsal(config)
        made = [
            self._activations_of(config, batch)
            for batch in largest(config, self._material, token_budget=budget)
        ]
        return estimate(
            config,
            self._device,
            seen.weights,
            file_bytes=self._material.file_bytes,
            activations=max(made, key=lambda each: each.most_bytes.at(seen.layers)),
            is_ample=is_ample,
        )

    def token_seconds(self, config: TrainConfig) -> float:
        """Of a step, for each real token, on this machine."""
        batches = largest(config, self._material, token_budget=self.budget(config))
        batch = batches[0].within(REHEARSED_TOKENS)
        return self.rehearsal(config).seconds(batch) / batch.tokens

    def needed_bytes(self, config: TrainConfig, *, budget: int, is_ample: bool = False) -> int:
        """What all processes take of the device's memory together."""
        memory = self.memory(config, budget=budget, is_ample=is_ample)
        sharing = self._device.sharing(config.workers, config.engine)
        # The process that starts workers in main memory only waits, and keeps its libraries.
        starter = self._device.context_bytes if sharing > 1 and self._device.kind == "cpu" else 0
        return sharing * memory.total + starter

    def fits(self, config: TrainConfig, *, budget: int, is_ample: bool = False) -> bool:
        """Whether it fits into the device's memory with room to spare, perhaps with freed tensors kept."""
        needed = self.needed_bytes(config, budget=budget, is_ample=is_ample)
        return needed <= RESERVE * self._device.available_bytes

    def is_ample(self, config: TrainConfig, *, budget: int) -> bool:
        """Whether freed tensors may be kept: there is room, and nothing says that memory matters more than time."""
        return not config.gradient_checkpointing and self.fits(config, budget=budget, is_ample=True)

    def budget(self, config: TrainConfig) -> int:
        """The micro-batch of the recipe; under `auto` the largest useful one that fits, or the smallest of all."""
        if config.micro_batch_tokens != "auto":
            return config.micro_batch_tokens
        budget = BEST_TOKENS[self._device.kind]
        while budget > SMALLEST_TOKENS and not self.fits(config, budget=budget):
            budget //= 2
        return budget

    def settled(self, config: TrainConfig) -> TrainConfig:
        """The settings with `holding` decided: unpacked where that fits, at half the micro-batch at least."""
        if config.quantization == "none" or config.holding != "auto":
            return config
        packed, unpacked = (
            config.model_copy(update={"holding": holding}) for holding in ("packed", "unpacked")
        )
        budget = self.budget(unpacked)
        is_roomy = 2 * budget >= self.budget(packed) and self.fits(unpacked, budget=budget)
        return unpacked if is_roomy else packed

    def require_fit(self, config: TrainConfig) -> Fit:
        """How to train on this device.

        Raises:
            DoesNotFitError: If the run does not fit; its fix are the settings that would.
        """
        config = self.settled(config)
        budget = self.budget(config)
        if self.fits(config, budget=budget):
            is_ample = self.is_ample(config, budget=budget)
            return Fit(budget, holding_of(config, self._device.kind), is_ample)
        advice = self.advise(config)
        raise DoesNotFitError(
            needed_bytes=self.needed_bytes(config, budget=budget),
            available_bytes=self._device.available_bytes,
            device=self._device.shown,
            fix=f"set {advice.shown} ({advice.harm})" if advice else "choose a smaller model",
        )

    def advise(self, config: TrainConfig) -> Advice | None:
        """The least harmful changes under which the run fits; None if none of them suffices."""
        settings: dict[str, Any] = {}
        for change, harm in self._changes(config):
            settings |= change
            changed = self.settled(config.model_copy(update=settings))
            budget = self.budget(changed)
            if self.fits(changed, budget=budget):
                return Advice(settings, harm, self.memory(changed, budget=budget))
        return None

    def _changes(self, config: TrainConfig) -> Iterator[tuple[dict[str, Any], str]]:
        if config.micro_batch_tokens != "auto":
            yield {"micro_batch_tokens": "auto"}, "the result stays the same"
        if config.holding == "unpacked":
            yield {"holding": "packed"}, "layers are unpacked whenever they are used"
        if not config.gradient_checkpointing:
            yield {"gradient_checkpointing": True}, "steps take about a third longer"
        if not config.optimizer.endswith("8bit"):
            name = "paged_adamw_8bit" if self._device.kind == "cuda" else "adamw_8bit"
            yield {"optimizer": name}, "the optimizer's moments are rounded to 8 bits"
        if config.method == "full":
            yield {"method": "lora"}, "an adapter is trained instead of all weights"
        if config.method != "qlora" and self._device.kind == "cuda":
            yield {"method": "qlora"}, "the base is rounded to 4 bits"
        length = min(config.sequence_length, self._longest) // 2
        while length >= SMALLEST_TOKENS:
            lost = sum(len(example.ids) > length for example in self._examples)
            yield (
                {"sequence_length": length},
                f"{lost} of {len(self._examples)} examples are left out",
            )
            length //= 2

    @property
    def _examples(self) -> list[Encoded]:
        return self._material.train.examples

    @property
    def _longest(self) -> int:
        return max(len(example.ids) for example in self._examples)

    def _activations_of(self, config: TrainConfig, batch: MicroBatch) -> Activations:
        rehearsed = batch.within(REHEARSED_TOKENS)
        key = _kind(config), rehearsed.shape
        if key not in self._activations:
            self._activations[key] = self.rehearsal(config).activations(rehearsed)
        return self._activations[key].scaled(batch.tokens / rehearsed.tokens)


def _kind(config: TrainConfig) -> TrainConfig:
    """The settings with those that change no step of given examples at one and the same value."""
    same = {
        "micro_batch_tokens": "auto",
        "optimizer": "auto",
        "sequence_length": 1024,
        "holding": "auto",
    }
    return config.model_copy(update=same)


def choose_fit(config: TrainConfig, material: Material, team: Team) -> Fit:
    """How to train on this machine; only what may not fit is rehearsed.

    One of several processes that a launcher has started finds the others' memory taken, and cannot judge.

    Raises:
        DoesNotFitError: If the run does not fit; its fix are the settings that would.
    """
    device, budget = find_device(None), wanted_budget(config)
    if team.size > 1:
        return Fit(budget, holding_of(config, device.kind))
    sharing = device.sharing(config.workers, config.engine)
    if sharing * _bound(config, material, budget) <= EASY_SHARE * device.available_bytes:
        is_open = config.holding == "auto"
        holding = "unpacked" if is_open else holding_of(config, device.kind)
        return Fit(budget, holding, is_ample=not config.gradient_checkpointing)
    try:
        return Fitting(material, device).require_fit(config)
    finally:
        # The copies of the rehearsal must not lie beside the model that is trained.
        trim()


def wanted_budget(config: TrainConfig) -> int:
    """The micro-batch of the recipe; under `auto` the one from which a larger one is no faster on this machine."""
    if config.micro_batch_tokens == "auto":
        return BEST_TOKENS[device_name()]
    return config.micro_batch_tokens


def _bound(config: TrainConfig, material: Material, budget: int) -> float:
    """More bytes than a run can take, from the model's configuration alone."""
    text = text_settings(material.resolved, material.inputs.model)
    lengths = sorted((len(example.ids) for example in material.train.examples), reverse=True)
    longest, a_step = lengths[0], sum(lengths[: config.batch_size * config.answers_per_row])
    if config.objective != "sft":
        # TRL pads all rows, and computes two answers at least.
        longest, a_step = 2 * longest, config.batch_size * 2 * longest
    # A micro-batch is no larger than a step, nor than the budget unless a single example is.
    tokens, layers, hidden = (
        max(min(budget, a_step), longest),
        text.num_hidden_layers,
        text.hidden_size,
    )
    widths = hidden + getattr(text, "intermediate_size", 4 * hidden)
    # Seven layers with A and B; weight, gradient and two moments in float32.
    adapters = 16 * layers * 7 * 2 * config.rank * widths
    weights = material.parameters * (16 if config.method == "full" else 2)
    # A token keeps under 24 tensors of a layer's widths, and a row of attention in four forms, in float32 each.
    a_token = layers * 4 * (24 * widths + 4 * text.num_attention_heads * longest)
    return float(weights + adapters + tokens * (a_token + 16 * text.vocab_size))


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
