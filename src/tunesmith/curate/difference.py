"""What changed between two versions of a dataset."""

from typing import NamedTuple

from tunesmith.artifacts.dataset import Dataset, Split
from tunesmith.core.conversation import Example
from tunesmith.core.workspace import Workspace
from tunesmith.curate.prompt_keys import prompt_key

SPLITS: tuple[Split, ...] = ("train", "validation")


class Reworded(NamedTuple):
    """One question whose answer changed."""

    before: Example
    after: Example


class Moved(NamedTuple):
    """An example that changed sides."""

    example: Example
    before: Split
    after: Split


class Difference(NamedTuple):
    """Two versions held against each other; an example is in one of the lists at most."""

    before: Dataset
    after: Dataset
    same: int
    added: list[Example]
    removed: list[Example]
    answered_anew: list[Reworded]
    moved: list[Moved]


def difference(before: Dataset, after: Dataset, workspace: Workspace) -> Difference:
    """Examples that came, went, got another answer or changed sides, in the order of the versions."""
    old, new = _by_key(before, workspace), _by_key(after, workspace)
    gone = {key: example for key, (example, _) in old.items() if key not in new}
    came = {key: example for key, (example, _) in new.items() if key not in old}
    asked = {prompt_key(example.prompt): key for key, example in gone.items()}
    answered_anew: list[Reworded] = []
    for key, example in list(came.items()):
        other = asked.pop(prompt_key(example.prompt), None)
        if other is not None:
            answered_anew.append(Reworded(gone.pop(other), came.pop(key)))
    moved = [
        Moved(example, side, new[key][1])
        for key, (example, side) in old.items()
        if key in new and new[key][1] != side
    ]
    same = len(old.keys() & new.keys()) - len(moved)
    return Difference(
        before, after, same, list(came.values()), list(gone.values()), answered_anew, moved
    )


def _by_key(dataset: Dataset, workspace: Workspace) -> dict[str, tuple[Example, Split]]:
    return {
        example.key: (example, split)
        for split in SPLITS
        for example in dataset.rows(workspace, split)
    }
