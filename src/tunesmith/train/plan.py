"""What a training run will take, before it begins: memory by part, steps, tokens, time."""

import time
from pathlib import Path
from typing import NamedTuple

from tunesmith.artifacts.adapter import TrainWarning
from tunesmith.errors import DoesNotFitError
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import device_name
from tunesmith.models.reference import ResolvedModel
from tunesmith.train.batches import micro_batches
from tunesmith.train.config import TrainConfig
from tunesmith.train.inspection import inspect
from tunesmith.train.material import Material
from tunesmith.train.optimizers import choose_optimizer

RESERVE = 0.9
"""Share of the free memory that a run may take; allocators and the rest of the system need some."""
EFFICIENCY = 0.35
"""Share of the measured matrix-product speed that a training step reaches; see docs/train.md."""
NF4_BYTES = 0.516
"""A weight in NF4 with double quantization: 4 bits and 0.127 bits of constants (QLoRA, section 3)."""
FLOAT32, BFLOAT16 = 4, 2
ADAM_BYTES = 4 * FLOAT32
"""A trained parameter: weight, gradient and two moments in float32."""


class Shape(NamedTuple):
    """The numbers of a model that decide memory and time."""

    parameters: int
    linear_parameters: int
    """In linear layers, the head aside."""
    adapter_parameters: int
    """Trainable parameters: A and B of every target, or everything for `full`."""
    layers: int
    hidden: int
    intermediate: int
    heads: int
    vocabulary: int


class Memory(NamedTuple):
    """Bytes by what they hold."""

    base: int
    """The frozen weights."""
    trained: int
    """Trained weights, their gradients and the optimizer's moments."""
    activations: int
    """What the backward pass needs of the largest micro-batch, logits included."""

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self)


class Plan(NamedTuple):
    """An estimate; memory within about a third, time within a factor of two."""

    device: str
    method: str
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
    seconds: float
    memory: Memory
    available_bytes: int
    micro_batch_tokens: int
    warnings: tuple[TrainWarning, ...]

    def as_json(self) -> dict[str, object]:
        """All of it, for programs."""
        warnings = [warning.model_dump() for warning in self.warnings]
        return {**self._asdict(), "memory": self.memory._asdict(), "warnings": warnings}

    def require_fit(self) -> None:
        """Return only if the run fits into the memory that is free.

        Raises:
            DoesNotFitError: Naming the setting that helps most.
        """
        if self.memory.total <= RESERVE * self.available_bytes:
            return
        largest = max(Memory._fields, key=lambda part: getattr(self.memory, part))
        fixes = {
            "base": "choose a smaller model"
            + ("" if self.method == "qlora" else ", or set train.method: qlora"),
            "trained": "lower train.rank"
            if self.method != "full"
            else "set train.method: qlora, which trains an adapter instead of all weights",
            "activations": "lower train.micro_batch_tokens, or set train.gradient_checkpointing: true",
        }
        raise DoesNotFitError(
            needed_bytes=self.memory.total,
            available_bytes=self.available_bytes,
            device=self.device,
            fix=fixes[largest],
        )

    def shown(self) -> dict[str, str]:
        """The plan in words, by line."""
        memory, share = self.memory, 100 * self.trained_parameters / self.parameters
        return {
            "device": f"{self.device}, {_gib(self.available_bytes)} free",
            "optimizer": self.optimizer,
            "parameters": f"{self.parameters:,}, trained {self.trained_parameters:,} ({share:.2f} %)",
            "examples": f"{self.examples}"
            + (f", {self.too_long} too long" if self.too_long else ""),
            "steps": f"{self.steps}",
            "tokens": f"{self.tokens:,}, of which trained {self.trained_tokens:,}",
            "memory": f"{_gib(memory.total)}: base {_gib(memory.base)}, adapter and optimizer"
            f" {_gib(memory.trained)}, activations {_gib(memory.activations)}",
            "time": f"about {_minutes(self.seconds)}, without validation",
        }


def make_plan(config: TrainConfig, material: Material) -> Plan:
    """Plan a run without loading the weights.

    Args:
        config: The recipe's `train:` section.
        material: What would be trained on.
    """
    split, steps = material.train, material.steps(config)
    groups = [
        group
        for step in steps[: -(-len(steps) // config.epochs)]
        for group in micro_batches(
            [split.examples[index] for index in step], token_budget=config.micro_batch_tokens
        )
    ]
    padded, longest = max((len(group) * len(group[0].ids), len(group[0].ids)) for group in groups)
    labels = max(sum(example.trained_tokens for example in group) for group in groups)
    shape = measure_shape(config, material.resolved, material.inputs.model)
    device = device_name()
    tokens = split.tokens * config.epochs
    return Plan(
        device=device,
        method=config.method,
        optimizer=choose_optimizer(config.optimizer, device).shown,
        parameters=shape.parameters,
        trained_parameters=shape.adapter_parameters,
        examples=len(split.examples),
        too_long=len(split.too_long),
        steps=len(steps),
        tokens=tokens,
        trained_tokens=split.trained_tokens * config.epochs,
        seconds=_seconds(shape, config, tokens, split.trained_tokens * config.epochs),
        memory=estimate_memory(
            config, shape, device, padded=padded, longest=longest, labels=labels
        ),
        available_bytes=_available_bytes(device),
        micro_batch_tokens=config.micro_batch_tokens,
        warnings=inspect(config, material, parameters=shape.parameters),
    )


def measure_shape(config: TrainConfig, resolved: ResolvedModel, model: ModelConfig) -> Shape:
    """The model's numbers, from its configuration alone: its layers are made without memory."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    settings = AutoConfig.from_pretrained(
        resolved.folder, trust_remote_code=model.trust_remote_code
    )
    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(
            settings, trust_remote_code=model.trust_remote_code
        )
    head = empty.get_output_embeddings()
    linear: dict[str, list[torch.nn.Linear]] = {}
    for name, module in empty.named_modules():
        if isinstance(module, torch.nn.Linear) and module is not head:
            linear.setdefault(name.rpartition(".")[2], []).append(module)
    targets = linear if config.targets == "all-linear" else config.targets
    adapter = sum(
        config.rank * (module.in_features + module.out_features)
        for target in targets
        for module in linear.get(target, [])
    )
    parameters = sum(parameter.numel() for parameter in empty.parameters())
    text = settings.get_text_config()
    return Shape(
        parameters=parameters,
        linear_parameters=sum(m.weight.numel() for group in linear.values() for m in group),
        adapter_parameters=parameters if config.method == "full" else adapter,
        layers=text.num_hidden_layers,
        hidden=text.hidden_size,
        intermediate=getattr(text, "intermediate_size", 4 * text.hidden_size),
        heads=text.num_attention_heads,
        vocabulary=text.vocab_size,
    )


def estimate_memory(
    config: TrainConfig, shape: Shape, device: str, *, padded: int, longest: int, labels: int
) -> Memory:
    """Bytes a run holds at its peak.

    Args:
        config: The recipe's `train:` section.
        shape: The model's numbers.
        device: `cuda` or `cpu`; on CPU, NF4 weights are kept as their bfloat16 values.
        padded: Tokens of the largest micro-batch, padding included.
        longest: Tokens of its longest row.
        labels: Most trained tokens in a micro-batch.
    """
    other = shape.parameters - shape.linear_parameters
    if config.method == "full":
        base = 0
    elif config.method == "qlora" and device == "cuda":
        base = round(shape.linear_parameters * NF4_BYTES) + other * BFLOAT16
    else:
        base = shape.parameters * BFLOAT16
    width = FLOAT32 if config.method == "full" else BFLOAT16
    # A layer keeps about 10 tensors of the hidden width and 4 of the intermediate one for its backward pass,
    # and the attention matrix where it is computed in the open.
    a_layer = padded * (10 * shape.hidden + 4 * shape.intermediate) * width
    attention = padded * longest * shape.heads * 2 * width if device == "cpu" else 0
    if config.gradient_checkpointing:
        activations = shape.layers * padded * shape.hidden * width + a_layer + attention
    else:
        activations = shape.layers * (a_layer + attention)
    logits = labels * shape.vocabulary * (2 * FLOAT32 + width)
    return Memory(base, shape.adapter_parameters * ADAM_BYTES, activations + logits)


def _seconds(shape: Shape, config: TrainConfig, tokens: int, trained_tokens: int) -> float:
    # Forward, and backward to the activations: 2 products of 2 operations for each weight. Full training
    # adds the gradient of the weights themselves.
    products = 6 if config.method == "full" else 4
    head = shape.hidden * shape.vocabulary
    work = products * (shape.linear_parameters * tokens + head * trained_tokens)
    return work / (EFFICIENCY * _operations_per_second())


def _operations_per_second() -> float:
    """Speed of bfloat16 matrix products here, measured in a fraction of a second."""
    import torch

    device = device_name()
    size = 4096 if device == "cuda" else 1024
    left, right = (torch.randn(size, size, dtype=torch.bfloat16, device=device) for _ in "ab")
    _ = left @ right
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < 0.3:
        _ = left @ right
        if device == "cuda":
            torch.cuda.synchronize()
        count += 1
    return 2 * size**3 * count / (time.perf_counter() - started)


def _available_bytes(device: str) -> int:
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    import psutil

    available = int(psutil.virtual_memory().available)
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and (text := limit.read_text().strip()).isdigit():
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        available = min(available, int(text) - used)
    return available


def _gib(size: float) -> str:
    return f"{size / 2**30:.2f} GiB"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
