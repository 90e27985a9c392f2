"""The `train:` section of a recipe."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from tunesmith.artifacts.adapter import Method, Quantization
from tunesmith.core.section import Section


class TrainConfig(Section):
    """How the adapter is trained."""

    method: Method = "qlora"
    """`qlora`: an adapter over a 4-bit base; `lora`: over the base as it is; `full`: all weights."""
    rank: PositiveInt = 16
    """LoRA rank r. Adapter size grows linearly with it."""
    alpha: PositiveInt = 32
    """LoRA scale; the update is multiplied by alpha / rank."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Share of adapter inputs dropped in training. Above 0 each step costs more."""
    targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    """Layers that get an adapter, by name as in `q_proj`; `all-linear` is every one but the head."""
    epochs: PositiveInt = 3
    """Times that every example is seen."""
    batch_size: PositiveInt = 16
    """Examples an optimizer step; the loss is a mean over their trained tokens, however it is cut."""
    micro_batch_tokens: PositiveInt = 2048
    """Tokens, padding included, computed at once. A matter of memory and speed, not of the result."""
    sequence_length: PositiveInt = 1024
    """Longest example in tokens; longer ones are left out and counted."""
    learning_rate: float = Field(2e-4, gt=0)
    """Peak learning rate. Small models (under 1B) learn well at 1e-3."""
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
    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, about a third slower."""
    seed: int = 0
    """Of the adapter's first weights and of the order of examples."""

    @property
    def quantization(self) -> Quantization:
        """How the base weights are held under this method."""
        return "nf4" if self.method == "qlora" else "none"
