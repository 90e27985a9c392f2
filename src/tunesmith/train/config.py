"""The `train:` section of a recipe."""

from typing import Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from tunesmith.artifacts.adapter import Method, Quantization
from tunesmith.core.section import Section
from tunesmith.train.contradictions import contradictions
from tunesmith.train.sweep_config import SweepConfig

Engine = Literal["local", "ray"]
Sharding = Literal["none", "fsdp"]
Objective = Literal["sft", "dpo", "orpo", "kto"]
Variant = Literal["lora", "dora", "rslora"]
Initialisation = Literal["default", "pissa", "loftq"]
Optimizer = Literal["auto", "adamw", "adamw_8bit", "paged_adamw", "paged_adamw_8bit"]


class TrainConfig(Section):
    """How the adapter is trained."""

    objective: Objective = "sft"
    """`sft` imitates examples; `dpo` and `orpo` learn from pairs, `kto` from thumbs and from pairs taken apart."""
    beta: float | None = Field(None, gt=0)
    """Strength of verdicts, 0.1 unless set: how hard `dpo` and `kto` hold the model to what it was before, how much
    `orpo` weighs the preference against imitating the chosen answer."""
    method: Method = "qlora"
    """`qlora`: an adapter over a quantized base; `lora`: over the base as it is; `full`: all weights."""
    bits: Literal[4, 8] | None = None
    """Of a base weight under `qlora`: 4 (NF4 with double quantization, the default there) or 8 (LLM.int8)."""
    holding: Literal["auto", "packed", "unpacked"] = "auto"
    """Of a quantized base: `packed` in its 4 or 8 bits, each layer unpacked whenever it is used; `unpacked` once, which
    is faster and takes the memory of a bfloat16 base; `auto` unpacks where that fits. The result is the same."""
    variant: Variant = "lora"
    """`dora` also learns each row's length, in slower layers; `rslora` scales by alpha / sqrt(rank)."""
    init: Initialisation = "default"
    """The adapter's first weights: `default` (A random, B zero), `pissa` (the base's largest singular
    directions, under `lora`), `loftq` (the part of the base that 4 bits lose, under `qlora`)."""
    continue_from: str | None = None
    """Id or folder of an adapter whose training goes on; rank, alpha, variant and targets must be its own."""
    rank: PositiveInt = 16
    """LoRA rank r. Adapter size grows linearly with it."""
    alpha: PositiveInt = 32
    """LoRA scale; the update is multiplied by alpha / rank."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Share of adapter inputs dropped in training. Above 0 each step costs more."""
    targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    """Layers that get an adapter, by name as in `q_proj`; `all-linear` is every one but the head, the experts
    of a mixture included and its router not."""
    epochs: PositiveInt = 3
    """Times that every example is seen."""
    batch_size: PositiveInt = 16
    """Examples an optimizer step; the loss is a mean over their trained tokens, however it is cut."""
    micro_batch_tokens: PositiveInt | Literal["auto"] = "auto"
    """Tokens, padding included, computed at once; `auto` takes the largest useful number that fits into memory. A
    matter of memory and speed, not of the result."""
    sequence_length: PositiveInt = 1024
    """Longest example in tokens; longer ones are left out and counted."""
    learning_rate: float = Field(2e-4, gt=0)
    """Peak learning rate. Small models (under 1B) learn well at 1e-3."""
    optimizer: Optimizer = "auto"
    """`auto` is `paged_adamw` on CUDA and `adamw` on a CPU; `_8bit` holds the two moments in 8 bits; paged ones
    move them to main memory when the GPU is full, and need CUDA."""
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    """How the learning rate falls after warm-up."""
    warmup_share: float = Field(0.05, ge=0, lt=1)
    """Share of the steps in which the learning rate rises from 0."""
    weight_decay: float = Field(0.0, ge=0)
    """Share of each trained weight that AdamW takes away in a step, times the learning rate."""
    max_grad_norm: float = Field(1.0, gt=0)
    """Gradients are scaled down to this L2 norm."""
    evaluations: NonNegativeInt = 5
    """Times that validation loss is measured and a checkpoint written; 0 for neither but at the end."""
    patience: PositiveInt | None = None
    """Stop after this many measurements without a better validation loss."""
    log_to: tuple[Literal["tensorboard", "wandb"], ...] = ("tensorboard",)
    """Where loss and learning rate are written to besides the adapter's own history and plot."""
    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, about a third slower."""
    workers: PositiveInt = 1
    """Processes that train together, each on its GPU or its share of the CPU; the result is that of one process."""
    engine: Engine = "local"
    """Who starts several workers: this machine (`local`), or the Ray cluster that `RAY_ADDRESS` names (`ray`)."""
    sharding: Sharding = "none"
    """`fsdp` spreads the frozen base over the workers, so that each holds a part; `none` keeps all of it in each."""
    sweep: SweepConfig = SweepConfig()
    """What `tunesmith train --sweep` tries; a plain training takes no notice of it."""
    seed: int = 0
    """Of the adapter's first weights and of the order of examples."""

    @property
    def quantization(self) -> Quantization:
        """How the base weights are held under this method."""
        if self.method != "qlora":
            return "none"
        return "int8" if self.bits == 8 else "nf4"

    @property
    def answers_per_row(self) -> int:
        """Answers that the model computes for one of the `batch_size` rows of a step."""
        return 2 if self.objective in ("dpo", "orpo") else 1

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        problems = [*self._method_problems(), *self._start_problems(), *contradictions(self)]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _method_problems(self) -> list[str]:
        problems = []
        if self.bits is not None and self.method != "qlora":
            problems.append(
                f"bits: {self.bits} quantizes the base, which method: {self.method} leaves as it is;"
                " set method: qlora or leave bits out"
            )
        if self.holding != "auto" and self.method != "qlora":
            problems.append(
                f"holding: {self.holding} is for a quantized base, which method: {self.method} does not have;"
                " set method: qlora or leave holding out"
            )
        if self.method == "full":
            adapter_only = {"variant": "lora", "init": "default", "continue_from": None}
            problems += [
                f"{name}: {getattr(self, name)} is for adapters, method: full trains all weights;"
                f" leave {name} out"
                + (" and set model.base to that model" if name == "continue_from" else "")
                for name, unset in adapter_only.items()
                if getattr(self, name) != unset
            ]
        return problems

    def _start_problems(self) -> list[str]:
        if self.init == "default" or self.method == "full":
            return []
        problems = []
        if self.init == "pissa" and self.method == "qlora":
            problems.append(
                "init: pissa moves a part of the base weights into the adapter, and method: qlora would round the rest"
                " anew; set method: lora, or init: loftq"
            )
        if self.init == "loftq" and self.quantization != "nf4":
            problems.append(
                f"init: loftq makes up for 4-bit rounding, and method: {self.method}"
                + (" with bits: 8" if self.bits == 8 else "")
                + " does none; set method: qlora and bits: 4, or init: default"
            )
        if self.variant == "dora":
            problems.append(
                f"init: {self.init} needs a plain low-rank update, variant: dora scales every row;"
                " set variant: lora or init: default"
            )
        if self.continue_from is not None:
            problems.append(
                f"init: {self.init} makes first weights, continue_from: {self.continue_from} brings its own;"
                " leave one out"
            )
        return problems
