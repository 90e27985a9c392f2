"""Likelihood: how a model that never saw a row finds its answer; kept by probe, so that nothing is computed twice."""

from pathlib import Path

from tunesmith.core.section import Section
from tunesmith.core.workspace import Workspace


class Likelihood(Section):
    """What a probe, trained briefly on other rows, finds of one row."""

    key: str
    """The row's `Example.key`."""
    after: float
    """Mean loss of its last answer under the probe, in nats a token."""
    elsewhere: float
    """The same behind another row's question: what the answer costs a model that does not know what was asked."""
    before: float | None = None
    """The same as `after` under the base model; of the most suspicious rows alone."""
    context: str
    """The answer up to the place that the probe objects to most, its last words."""
    given: str
    """What the row says there."""
    expected: str
    """What the probe would have said."""
    given_chance: float
    expected_chance: float


def likelihoods_path(workspace: Workspace, probe_id: str, part: int) -> Path:
    """JSON Lines of one part of the rows that probes looked at; absent until that part is done."""
    return workspace.folder("probes") / probe_id / f"part-{part}.jsonl"
