"""Export: a tuned model in the form another program loads, and how exactly it is the model that was measured."""

from typing import ClassVar, Literal

from pydantic import Field

from tunesmith.artifacts.adapter import BaseModelId
from tunesmith.artifacts.artifact import Artifact
from tunesmith.core.section import Section

ExportFormat = Literal["adapter", "merged", "gguf"]
NumberFormat = Literal["float32", "float16", "bfloat16", "q8_0"]


class Fidelity(Section):
    """How far an exported model's predictions are from those of the adapter over the base it was trained on."""

    positions: int
    """Tokens whose predictions were compared."""
    largest_difference: float
    """Of any logit."""
    mean_divergence: float = Field(ge=0)
    """Kullback-Leibler divergence per token from the trained model, in nats."""
    same_choice: float = Field(ge=0, le=1)
    """Share of positions with the same likeliest token."""


class Export(Artifact):
    """One exported model; its files lie beside the manifest, in the layout of a hub repository."""

    kind: ClassVar[str] = "exports"

    name: str
    format: ExportFormat
    number_format: NumberFormat | None
    """How weights are written; None for an adapter, which stays as it was trained."""
    adapter_id: str
    dataset_id: str
    report_id: str | None
    """The newest report about this adapter; None if it was never measured."""
    base: BaseModelId
    license: str
    """Of the base model, as its authors name it; `unknown` where its files do not say."""
    fidelity: Fidelity | None
    """Measured on the files as written; None for an adapter and where nothing here can read them."""
    over_plain_base: Fidelity | None
    """The adapter over the base before quantization, as servers without quantization load it."""
    notes: tuple[str, ...]
    """What to know before using it."""
    files: dict[str, str]
    """SHA-256 of every file but the manifest."""
    libraries: dict[str, str]
