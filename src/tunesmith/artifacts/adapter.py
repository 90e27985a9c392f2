"""Adapter: the product of training; peft-format safetensors with the lineage that makes them usable."""

from pathlib import Path
from typing import ClassVar, Literal

from tunesmith.artifacts.artifact import Artifact
from tunesmith.core.section import Section
from tunesmith.core.workspace import Workspace

Method = Literal["qlora", "lora", "full"]
Quantization = Literal["nf4", "int8", "none"]


class BaseModelId(Section):
    """Exactly which base weights: a reference, the revision it was resolved to, how they are held."""

    reference: str
    """As written in the recipe: bundled name, `owner/name@revision`, folder or GGUF file."""
    revision: str
    """Commit of the hub, or hash of the weights for local files."""
    quantization: Quantization
    template_fingerprint: str
    """Hash of the chat template and special tokens; serving with another template would send other tokens."""

    @property
    def name(self) -> str:
        """`reference@revision`, the reference's own revision replaced by the resolved one."""
        return f"{self.reference.partition('@')[0]}@{self.revision}"


class TrainMetrics(Section):
    """What training reported."""

    train_loss: float
    """Mean loss per trained token over the last step."""
    validation_loss: float | None
    best_step: int
    steps: int
    epochs: float
    trained_tokens: int
    """Tokens that carried loss, over all epochs."""
    seen_tokens: int
    """All real tokens computed, padding not counted."""
    seconds: float
    tokens_per_second: float
    reward_accuracy: float | None = None
    """Of preference tuning: share of pairs whose better answer the model has moved towards more than the other."""
    reward_margin: float | None = None
    """Of preference tuning: by how much more, in nats times beta."""


class TrainWarning(Section):
    """Something that makes a run worse than it could be, seen before or while it ran."""

    code: str
    """A word that programs can look for, as `left-out`."""
    message: str
    """What was found, with its number."""
    fix: str
    count: int = 1
    """How many examples, or steps, it concerns."""


class Adapter(Artifact):
    """A trained adapter (or, for `full`, a whole model); files are in peft's own layout under `weights/`."""

    kind: ClassVar[str] = "adapters"

    name: str
    """The model name it is served under unless released under another."""
    method: Method
    base: BaseModelId
    dataset_id: str
    settings: dict[str, object]
    """The `train:` section it was trained with, defaults filled in."""
    libraries: dict[str, str]
    """Versions of the packages that shaped the numbers."""
    metrics: TrainMetrics
    warnings: tuple[TrainWarning, ...] = ()
    """What was said before and during training; not part of the id."""

    def weights_folder(self, workspace: Workspace) -> Path:
        """The folder that peft, vLLM and transformers load."""
        return self.folder(workspace) / "weights"

    def plot_path(self, workspace: Workspace) -> Path:
        """Loss and learning rate over steps, as a PNG."""
        return self.folder(workspace) / "training.png"

    def history_path(self, workspace: Workspace) -> Path:
        """One JSON line for each logged step."""
        return self.folder(workspace) / "history.jsonl"
