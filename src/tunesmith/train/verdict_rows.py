"""Verdicts to tokens: the columns that preference trainers read, each answer after its prompt as serving sends it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tunesmith.core.conversation import Example, Pair, Prompt, Thumb
from tunesmith.errors import DataError
from tunesmith.models.template import ChatTemplate, Encoded
from tunesmith.train.config import Objective, TrainConfig
from tunesmith.train.encoding import EncodedSplit, in_batches

Row = dict[str, list[int] | bool]
ADD_PAIRS = (
    "add rows with chosen and rejected answers (docs/curate.md), or choose another objective"
)
LEARNT: dict[Objective, tuple[str, str]] = {
    "sft": (
        "examples to imitate",
        "add rows without a verdict, or learn from verdicts: train.objective: dpo, orpo or kto",
    ),
    "dpo": ("pairs", ADD_PAIRS),
    "orpo": ("pairs", ADD_PAIRS),
    "kto": (
        "thumbs and pairs",
        "add answers with a label of true or false (docs/curate.md), or choose another objective",
    ),
}
"""What each objective learns from, and what to do where there is none."""


class EncodedVerdicts(NamedTuple):
    """One split in tokens."""

    rows: list[Row]
    """`prompt_ids, chosen_ids, rejected_ids` of pairs; `prompt_ids, completion_ids, label` of thumbs."""
    sources: list[str]
    """Where each row was read, as `file:line`."""
    too_long: list[Example]
    """Left out, because cutting an answer would judge one that nobody gave."""

    def split(self) -> EncodedSplit:
        """Every answer behind its prompt, as the model computes it; the answer carries loss."""
        return EncodedSplit(sequences(self.rows), self.too_long)


def sequences(rows: Iterable[Row]) -> list[Encoded]:
    """Every answer behind its prompt; the answer carries loss."""
    return [
        Encoded(prompt + answer, [False] * len(prompt) + [True] * len(answer))
        for row in rows
        for prompt, answer in _sides(row)
    ]


def is_learnt(row: Example, objective: Objective) -> bool:
    """Whether the objective learns from this row of a dataset."""
    kinds: dict[Objective, tuple[type[Example], ...]] = {
        "sft": (Example,),
        "dpo": (Pair,),
        "orpo": (Pair,),
        "kto": (Pair, Thumb),
    }
    return type(row) in kinds[objective]


def encode_verdicts(
    config: TrainConfig,
    template: ChatTemplate,
    examples: Sequence[Example],
    *,
    is_quiet: bool = False,
) -> EncodedVerdicts:
    """The verdicts that the objective learns from, in their order; for `kto`, a pair is a thumb up and a thumb down.

    Args:
        config: The recipe's `train:` section, its objective `dpo`, `orpo` or `kto`.
        template: Of the base model.
        examples: Of a split, those that the objective learns from.
        is_quiet: Show no progress.

    Raises:
        DataError: If there are verdicts and every one is too long.
    """
    found = EncodedVerdicts([], [], [])
    answered = [conversation for example in examples for conversation in _answered(example)]
    encoded = iter(in_batches(template.encode_answers, answered, is_quiet=is_quiet))
    for example in examples:
        answers = [_split(next(encoded)) for _ in _answered(example)]
        if max(len(prompt) + len(answer) for prompt, answer in answers) > config.sequence_length:
            found.too_long.append(example)
            continue
        rows = _rows(example, answers, config.objective)
        found.rows.extend(rows)
        found.sources.extend([example.source] * len(rows))
    if found.too_long and not found.rows:
        raise DataError(
            f"all {len(found.too_long)} verdicts are longer than {config.sequence_length} tokens",
            fix="raise train.sequence_length or shorten the answers",
        )
    return found


def require_rows(split: EncodedSplit, objective: Objective) -> None:
    """Return only if there is something to train on.

    Raises:
        DataError: If the dataset has no row that `objective` learns from.
    """
    if split.examples:
        return
    learnt, fix = LEARNT[objective]
    raise DataError(
        f"train.objective: {objective} learns from {learnt}, and the dataset has none to train on",
        fix=fix,
    )


def _answered(example: Example) -> list[Prompt]:
    """The prompt with each answer that was judged."""
    if not isinstance(example, Pair):
        return [example.messages]
    return [example.messages, example.answered(example.rejected).messages]


def _rows(
    example: Example, answers: list[tuple[list[int], list[int]]], objective: Objective
) -> list[Row]:
    prompt, answer = answers[0]
    if isinstance(example, Thumb):
        return [{"prompt_ids": prompt, "completion_ids": answer, "label": example.is_good}]
    if not isinstance(example, Pair):
        return []
    rejected = answers[1][1]
    if objective != "kto":
        return [{"prompt_ids": prompt, "chosen_ids": answer, "rejected_ids": rejected}]
    return [
        {"prompt_ids": prompt, "completion_ids": answer, "label": True},
        {"prompt_ids": prompt, "completion_ids": rejected, "label": False},
    ]


def _split(encoded: Encoded) -> tuple[list[int], list[int]]:
    start = encoded.is_trained.index(True)
    return encoded.ids[:start], encoded.ids[start:]


def _sides(row: Row) -> Iterator[tuple[list[int], list[int]]]:
    prompt = row["prompt_ids"]
    for key in ("chosen_ids", "rejected_ids", "completion_ids"):
        answer = row.get(key)
        if isinstance(prompt, list) and isinstance(answer, list):
            yield prompt, answer
