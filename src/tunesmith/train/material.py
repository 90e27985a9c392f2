"""What a run works on: the examples in tokens, before any weight is loaded."""

import json
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import NamedTuple

from tunesmith.artifacts.dataset import Dataset, Split
from tunesmith.core.conversation import Example
from tunesmith.core.workspace import Workspace
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import load_template
from tunesmith.models.reference import ResolvedModel, resolve
from tunesmith.models.template import ChatTemplate
from tunesmith.train.batches import schedule
from tunesmith.train.config import TrainConfig
from tunesmith.train.encoding import EncodedSplit, encode
from tunesmith.train.verdict_rows import EncodedVerdicts, encode_verdicts, is_learnt, require_rows

SPLITS: tuple[Split, Split] = ("train", "validation")


class TrainInputs(NamedTuple):
    """What an adapter is made from."""

    dataset: Dataset
    model: ModelConfig
    name: str
    """The model name that the adapter will answer to."""
    is_golden: Callable[[Example], bool] = lambda _: False
    """Whether an example asks what a golden case asks; such examples are warned about."""
    answer_limit: int | None = None
    """Longest answer in tokens that the model may give when it is measured; longer ones are warned about."""
    on_validation: Callable[[float], None] = lambda _: None
    """Told every validation loss; whatever it raises ends the run."""


class Material(NamedTuple):
    """A dataset in the tokens of a base model."""

    inputs: TrainInputs
    resolved: ResolvedModel
    template: ChatTemplate
    examples: list[Example]
    """The training split, too long ones included."""
    train: EncodedSplit
    validation: EncodedSplit
    verdicts: tuple[EncodedVerdicts, EncodedVerdicts] | None = None
    """Training and validation split of preference tuning; `train` and `validation` then hold their answers."""

    @property
    def parameters(self) -> int:
        """Of the base model, as its weight files list them."""
        return sum(map(_parameters, self.resolved.folder.glob("*.safetensors")))

    @property
    def file_bytes(self) -> int:
        """Of those weight files."""
        return sum(path.stat().st_size for path in self.resolved.folder.glob("*.safetensors"))

    @property
    def sources(self) -> list[str]:
        """Where each example of `train` was read, as `file:line`."""
        lost = {example.key for example in self.train.too_long}
        return [example.source for example in self.examples if not lost or example.key not in lost]

    def steps(self, config: TrainConfig) -> list[list[int]]:
        """Positions in `train` of the examples of every optimizer step."""
        return schedule(
            len(self.train.examples),
            batch_size=config.batch_size * config.answers_per_row,
            epochs=config.epochs,
            seed=config.seed,
        )


def _parameters(path: Path) -> int:
    # A safetensors file begins with the length of its table of contents, then that table as JSON.
    with path.open("rb") as stream:
        table = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    return sum(prod(tensor["shape"]) for name, tensor in table.items() if name != "__metadata__")


def prepare(
    config: TrainConfig, workspace: Workspace, inputs: TrainInputs, *, is_quiet: bool = False
) -> Material:
    """The examples in tokens; too long ones are set aside and counted.

    Args:
        config: The recipe's `train:` section.
        workspace: Where the dataset lies.
        inputs: Dataset and base model.
        is_quiet: Show no progress.

    Raises:
        DataError: If there is nothing that the objective learns from, or none of it fits the sequence length.
        ModelError: If the base model is not found.
    """
    resolved = resolve(inputs.model, workspace.root)
    template = load_template(resolved, inputs.model)
    examples, validation = (
        [row for row in inputs.dataset.rows(workspace, split) if is_learnt(row, config.objective)]
        for split in SPLITS
    )
    verdicts = None
    if config.objective == "sft":
        train, held_out = (
            encode(template, split, sequence_length=config.sequence_length, is_quiet=is_quiet)
            for split in (examples, validation)
        )
    else:
        verdicts = (
            encode_verdicts(config, template, examples, is_quiet=is_quiet),
            encode_verdicts(config, template, validation, is_quiet=is_quiet),
        )
        train, held_out = verdicts[0].split(), verdicts[1].split()
    require_rows(train, config.objective)
    return Material(inputs, resolved, template, examples, train, held_out, verdicts)
