"""Rows that a model could not learn: where training has hardly lowered the loss, the label is often wrong."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from tunesmith.artifacts.adapter import Adapter
from tunesmith.artifacts.artifact import write_lines
from tunesmith.artifacts.dataset import Dataset
from tunesmith.artifacts.suspicion import (
    Reason,
    Suspicion,
    doubts_path,
    read_doubts,
    suspicions_path,
)
from tunesmith.core.conversation import Example
from tunesmith.core.progress import track
from tunesmith.core.workspace import Workspace
from tunesmith.errors import DataError
from tunesmith.models.config import ModelConfig

RULE = "loss"
MOST_CERTAIN = 0.9
"""However unlikely an answer, it may be a rare right one."""


class Unlearnt(NamedTuple):
    """A row whose answer stays unlikely."""

    example: Example
    before: float
    """Mean loss of its answers under the base model, in nats a token."""
    after: float
    """The same under the tuned model."""
    usual: float
    """Median of `after` over all rows."""

    @property
    def score(self) -> float:
        """How suspicious: 0 for a usual loss, nearing 1 with many times that."""
        return min(MOST_CERTAIN, max(0.0, 1 - self.usual / self.after if self.after else 0.0))

    @property
    def text(self) -> str:
        """In words, with the numbers."""
        return (
            f"the tuned model finds its answer unlikely: {self.after:.2f} nats a token"
            f" ({self.before:.2f} before training); half of all rows are below {self.usual:.2f}"
        )


def find_unlearnt(
    dataset: Dataset,
    adapter: Adapter,
    model: ModelConfig,
    workspace: Workspace,
    *,
    most: int = 50,
    is_quiet: bool = True,
) -> list[Unlearnt]:
    """The rows that the tuned model finds least likely, the worst first; also noted for the review.

    An adapter trained for many epochs has learnt wrong labels by heart as well: train briefly to find them.

    Args:
        dataset: What the adapter was trained on.
        adapter: Trained by a LoRA method.
        model: The recipe's `model:` section.
        workspace: Where all lie.
        most: Rows listed and noted.
        is_quiet: Show no progress.

    Raises:
        DataError: If the adapter was trained on something else, or is a whole model.
    """
    if adapter.dataset_id != dataset.id or adapter.method == "full":
        raise DataError(
            f"adapter {adapter.id} ({adapter.method}) was trained on {adapter.dataset_id}, not {dataset.id}"
            if adapter.method != "full"
            else f"{adapter.id} is a whole model, not an adapter of one",
            fix="run `tunesmith train` with a LoRA method on this dataset, for one epoch",
        )
    examples = [
        *dataset.examples(workspace, "train"),
        *dataset.examples(workspace, "validation"),
    ]
    before, after = _losses(examples, adapter, model, workspace, is_quiet=is_quiet)
    usual = median(after)
    found = sorted(
        (Unlearnt(*row, usual) for row in zip(examples, before, after, strict=True)),
        key=lambda row: -row.after,
    )[:most]
    _note(dataset, workspace, found)
    return found


def _losses(
    examples: Sequence[Example],
    adapter: Adapter,
    config: ModelConfig,
    workspace: Workspace,
    *,
    is_quiet: bool,
) -> tuple[list[float], list[float]]:
    from tunesmith.models.adapters import with_adapter
    from tunesmith.models.loading import load_model
    from tunesmith.models.reference import resolve
    from tunesmith.models.scoring import mean_losses

    resolved = resolve(config, workspace.root)
    loaded = load_model(
        resolved, config, quantization=adapter.base.quantization, precision="float32"
    )
    encoded = [loaded.template.encode_example(example.messages) for example in examples]
    pad_id = loaded.template.pad_id()
    with track("curate: loss", 2 * len(encoded), is_quiet=is_quiet) as progress:
        before = mean_losses(loaded.model, encoded, pad_id=pad_id, on_done=progress.advance)
        tuned = with_adapter(loaded.model, adapter.weights_folder(workspace), name="tuned")
        after = mean_losses(tuned, encoded, pad_id=pad_id, on_done=progress.advance)
    return before, after


def _note(dataset: Dataset, workspace: Workspace, found: Sequence[Unlearnt]) -> None:
    """Put the findings among the row filters' doubts, in place of those of an earlier adapter."""
    reasons = {
        doubt.key: tuple(reason for reason in doubt.reasons if reason.rule != RULE)
        for doubt in read_doubts(dataset, workspace)
    }
    for row in found:
        reason = Reason(rule=RULE, score=round(row.score, 4), text=row.text)
        reasons[row.example.key] = (*reasons.get(row.example.key, ()), reason)
    doubts = [Suspicion(key=key, reasons=given) for key, given in reasons.items() if given]
    write_lines(doubts_path(dataset, workspace), [doubt.model_dump() for doubt in doubts])
    # Made anew, with these, when the review is opened.
    suspicions_path(dataset, workspace).unlink(missing_ok=True)
