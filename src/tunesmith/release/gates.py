"""Gates: what a measurement must have shown before a release may go live."""

from typing import NamedTuple

from tunesmith.artifacts.eval_report import EvalReport
from tunesmith.errors import GateNotPassedError
from tunesmith.release.config import ReleaseConfig

MINIMUM = "minimum"
BEATS_BASE = "beats_base"


class GateResult(NamedTuple):
    """One gate, held against one report."""

    gate: str
    measured: float | None
    """None where there is no report: an unmeasured release passes no gate."""
    required: float
    is_strict: bool
    """Whether `measured` must lie above `required`; else it may equal it."""
    is_passed: bool
    sentence: str
    """The result in words, with both numbers."""


def check(config: ReleaseConfig, report: EvalReport | None) -> list[GateResult]:
    """The results of all gates that the config sets, passed or not; empty where it sets none."""
    results = []
    if config.minimum is not None:
        results.append(_minimum(config.minimum, report))
    if config.must_beat_base:
        results.append(_beats_base(report))
    return results


def require(results: list[GateResult]) -> None:
    """Return only if every gate is passed.

    Raises:
        GateNotPassedError: For the first gate that is not.
    """
    for result in results:
        if not result.is_passed:
            raise GateNotPassedError(
                result.gate,
                measured=result.measured,
                required=result.required,
                is_strict=result.is_strict,
            )


def _minimum(required: float, report: EvalReport | None) -> GateResult:
    if report is None:
        sentence = f"never measured; at least {required:.3f} is required"
        return GateResult(MINIMUM, None, required, False, False, sentence)
    grader, measured = report.primary.grader, report.primary.tuned.mean
    is_passed = measured >= required
    verb = "reaches" if is_passed else "does not reach"
    sentence = f"{grader} is {measured:.3f} and {verb} the minimum of {required:.3f}"
    return GateResult(MINIMUM, measured, required, False, is_passed, sentence)


def _beats_base(report: EvalReport | None) -> GateResult:
    if report is None:
        sentence = "never measured; a gain over the base is required"
        return GateResult(BEATS_BASE, None, 0.0, True, False, sentence)
    grader, change = report.primary.grader, report.primary.change
    is_passed = change.low > 0
    verdict = "all of it above 0" if is_passed else "not all of it above 0"
    sentence = (
        f"{grader} changed by {change.mean:+.3f} over the base,"
        f" 95% interval {change.low:+.3f} to {change.high:+.3f}: {verdict}"
    )
    return GateResult(BEATS_BASE, change.low, 0.0, True, is_passed, sentence)
