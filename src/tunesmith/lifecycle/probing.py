"""Probes over a set of rows: in two parts or more, each scored by a model that learnt from the others and never saw it.

Source: out-of-sample likelihoods to find wrong labels are the idea of confident learning (Northcutt et al. 2021); what
an answer gains from its question is pointwise V-information, lowest for wrong labels (Ethayarajh et al. 2022).
"""

from collections.abc import Sequence

from tunesmith.artifacts.artifact import read_lines, write_lines
from tunesmith.artifacts.dataset import Dataset
from tunesmith.artifacts.likelihood import Likelihood, likelihoods_path
from tunesmith.core import fingerprint
from tunesmith.core.conversation import Example, Prompt
from tunesmith.core.progress import Progress, track
from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import LabelNoise
from tunesmith.curate.noise import Doubtful, find_doubtful, note, strangeness
from tunesmith.curate.prompt_keys import hash64, prompt_key
from tunesmith.errors import DataError
from tunesmith.models.config import ModelConfig
from tunesmith.recipe import Recipe
from tunesmith.train.config import TrainConfig

PART_ROWS = 1_000
"""Largest part of the rows that one probe looks at: what a killed run loses."""
LEAST_ROWS = 2
"""Of a part: fewer leave the others nothing to learn from."""
TOLD_ROWS = 50
"""Of a part, the most suspicious ones, of which the loss under the base model is told too."""


def doubtful(
    recipe: Recipe, dataset: Dataset, workspace: Workspace, *, most: int, is_quiet: bool = False
) -> list[Doubtful]:
    """Rows of a dataset whose answers seem wrong, the worst first; also noted for the review.

    Args:
        recipe: How a probe is trained; whether it has rows removed does not matter.
        dataset: What is looked at; verdicts in it are not.
        workspace: Where it lies, and where the findings are kept.
        most: Rows listed and noted.
        is_quiet: Show no progress.

    Raises:
        DataError: If there are too few rows to learn from.
    """
    rows = [*dataset.examples(workspace, "train"), *dataset.examples(workspace, "validation")]
    found = find_doubtful(rows, CrossProbe.of(recipe, workspace, is_quiet=is_quiet), most=most)
    note(dataset, workspace, found)
    return found


class CrossProbe:
    """Asks of every row a probe that was trained on other rows; a part that was done before is only read."""

    def __init__(
        self,
        train: TrainConfig,
        model: ModelConfig,
        workspace: Workspace,
        *,
        steps: int,
        is_quiet: bool = False,
    ) -> None:
        """Nothing is loaded before rows are asked about.

        Args:
            train: The recipe's `train:` section; the probe's adapter is like the one it asks for.
            model: The recipe's `model:` section.
            workspace: Where the findings are kept.
            steps: Optimizer steps of each probe, at most one epoch.
            is_quiet: Show no progress.
        """
        self.train, self.model, self.workspace = train, model, workspace
        self.steps, self.is_quiet = steps, is_quiet

    @classmethod
    def of(cls, recipe: Recipe, workspace: Workspace, *, is_quiet: bool = False) -> "CrossProbe":
        """As the recipe asks for it, whether or not it has rows removed."""
        noise = recipe.curate.label_noise or LabelNoise(share=0.5)
        return cls(recipe.train, recipe.model, workspace, steps=noise.steps, is_quiet=is_quiet)

    def __call__(self, rows: Sequence[Example]) -> list[Likelihood]:
        """What the probes find, in the order of the rows; rows that ask the same are in the same part.

        Raises:
            DataError: If there are too few rows to learn from.
        """
        parts = self._parts(rows)
        keys = [row.key for row in rows]
        probe_id = fingerprint.short_id("probe", [self.fingerprint(), keys])
        wanted = self.steps * self.train.batch_size
        learnt = [min(wanted, len(rows) - len(part)) for part in parts]
        found: dict[str, Likelihood] = {}
        work = 2 * len(rows) + sum(learnt)
        with track("curate: probe", work, is_quiet=self.is_quiet) as progress:
            for number, part in enumerate(parts):
                path = likelihoods_path(self.workspace, probe_id, number)
                if path.is_file():
                    progress.advance(2 * len(part) + learnt[number])
                else:
                    others = [row for other in parts if other is not part for row in other]
                    scored = self._look(part, others, progress)
                    write_lines(path, [likelihood.model_dump() for likelihood in scored])
                known = map(Likelihood.model_validate, read_lines(path))
                found |= {likelihood.key: likelihood for likelihood in known}
        return [found[row.key] for row in rows]

    def _parts(self, rows: Sequence[Example]) -> list[list[Example]]:
        parts: list[list[Example]] = [[] for _ in range(max(2, -(-len(rows) // PART_ROWS)))]
        for row in rows:
            parts[hash64(prompt_key(row.prompt)) % len(parts)].append(row)
        if min(map(len, parts)) < LEAST_ROWS:
            raise DataError(
                f"{len(rows)} rows are too few to learn from some and look at the others",
                fix="look at them in `tunesmith studio`: that is quicker anyway",
            )
        return parts

    def _look(
        self, part: Sequence[Example], others: Sequence[Example], progress: Progress
    ) -> list[Likelihood]:
        """What a probe that learnt from the other rows finds of this part."""
        from tunesmith.train.probe import Probe

        probe = Probe(self.train, self.model, self.workspace.root)
        probe.learn(others, steps=self.steps, on_done=progress.advance)
        own = probe.score([row.messages for row in part], on_done=progress.advance)
        away = probe.score(elsewhere(part), on_done=progress.advance)
        found = [
            Likelihood(
                key=row.key,
                after=here.loss,
                elsewhere=there.loss,
                context=here.worst.before,
                given=here.worst.given,
                expected=here.worst.expected,
                given_chance=here.worst.given_chance,
                expected_chance=here.worst.expected_chance,
            )
            for row, here, there in zip(part, own, away, strict=True)
        ]
        probe.forget()
        worst = sorted(range(len(part)), key=lambda place: -strangeness(found[place]))[:TOLD_ROWS]
        before = probe.score([part[place].messages for place in worst], on_done=lambda _: None)
        for place, base in zip(worst, before, strict=True):
            found[place] = found[place].model_copy(update={"before": base.loss})
        return found

    def fingerprint(self) -> str:
        """The same for probes that would find the same of the same rows."""
        settings = self.train.model_dump(mode="json", exclude=NO_MATTER_TO_PROBES)
        model = self.model.model_dump(mode="json")
        return fingerprint.of_json([settings, model, self.steps])[:16]


def elsewhere(rows: Sequence[Example]) -> list[Prompt]:
    """Each row's last answer behind the question of the next row that is answered differently."""
    asked = []
    for place, row in enumerate(rows):
        later = (rows[(place + step) % len(rows)] for step in range(1, len(rows)))
        other = next((one for one in later if one.answer != row.answer), row)
        asked.append((*other.prompt, row.messages[-1]))
    return asked


NO_MATTER_TO_PROBES = {
    "objective",
    "beta",
    "variant",
    "init",
    "continue_from",
    "gradient_checkpointing",
    "holding",
    "optimizer",
    "weight_decay",
    "workers",
    "sharding",
    "epochs",
    "schedule",
    "warmup_share",
    "evaluations",
    "patience",
    "log_to",
    "engine",
    "micro_batch_tokens",
    "sweep",
}
"""Settings of a training that a probe takes no notice of."""
