"""Every failure tunesmith reports to a user: what happened, the fix, an exit code, an HTTP status.

TunesmithError                    1 / 500
├── RecipeError                   2 / 422   the recipe or a flag cannot be used
├── DataError                     3 / 422   the user's data cannot become a dataset
│   └── NoGoodRowsError           3 / 422   a file in which not one row could be used
├── NotMadeYetError               4 / 409   a stage was asked for before what it needs exists
├── UnknownNameError              5 / 404   a name that no grader, model, adapter or release bears
├── ModelError                    6 / 503   a base model or adapter cannot be loaded
│   ├── UnsafeWeightsError        6 / 403   weights that could run code when opened
│   └── ChecksumError             6 / 502   bytes that are not the bytes that were promised
├── DoesNotFitError               7 / 507   the plan needs more memory than there is
│   └── OutOfMemoryError          7 / 507   memory ran out in training, and no smaller step is left
├── TrainingError                 8 / 500   training stopped because going on would be wrong
│   └── DivergedError             8 / 500   the loss is no number any more, or ran away
├── RequestError                  9 / 400   a serving request that cannot be answered as asked
│   ├── ForeignOriginError        9 / 403   a page of another site wants to change something
│   ├── RequestTooLargeError      9 / 413   more bytes or tokens than the limits allow
│   └── OverloadedError           9 / 429   the queue is full
├── MissingDependencyError       10 / 501   an optional package is needed and not installed
├── GateNotPassedError           11 / 409   a release was refused promotion
├── PersonalDataError            12 / 422   a check found personal data that should not be there
├── EndpointError                13 / 502   a model elsewhere gave no answer
│   └── EndpointRefusedError     13 / 502   it would answer no request: key, money, rights, name
└── BusyError                    14 / 409   another process is at the same work

Raise sites pass facts; the sentences live here. Interrupted by Ctrl-C exits with 130, as shells expect.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence

SHOWN_ROWS = 16
"""Rows that a message names before it only counts them."""


class TunesmithError(Exception):
    """Base of all failures that are the user's to see; `fix` says what to do about it."""

    exit_code = 1
    http_status = 500

    def __init__(self, what: str, *, fix: str) -> None:
        super().__init__(what)
        self.what, self.fix = what, fix

    def __reduce__(self) -> tuple[object, ...]:
        """Errors travel between processes whole, though their classes are made from facts."""
        return _restored, (type(self), self.args, self.__dict__)


class RecipeError(TunesmithError):
    """The recipe, or a command-line setting, cannot be used; lists every problem at once."""

    exit_code = 2
    http_status = 422

    def __init__(self, where: str, problems: Sequence[str], *, fix: str | None = None) -> None:
        listing = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(
            f"{where} has {len(problems)} problem(s):{listing}",
            fix=fix or f"correct {where} and run again",
        )
        self.where, self.problems = where, tuple(problems)


class DataError(TunesmithError):
    """The user's data cannot become a dataset."""

    exit_code = 3
    http_status = 422


class NoGoodRowsError(DataError):
    """Not one row of a file could be used; shows the first three reasons."""

    def __init__(
        self, path: str, *, read: int, reasons: Sequence[str], fix: str | None = None
    ) -> None:
        shown = "".join(f"\n  - {reason}" for reason in reasons[:3])
        super().__init__(
            f"none of the {read} row(s) in {path} can be used:{shown}",
            fix=fix
            or "see docs/curate.md for the formats that are recognised, with an example row of each",
        )
        self.path, self.read, self.reasons = path, read, tuple(reasons)


class NotMadeYetError(TunesmithError):
    """Something a stage needs has not been made yet."""

    exit_code = 4
    http_status = 409

    def __init__(self, missing: str, *, made_by: str) -> None:
        super().__init__(f"there is no {missing} yet", fix=f"run `{made_by}` first")
        self.missing, self.made_by = missing, made_by


class UnknownNameError(TunesmithError):
    """A name nothing bears; suggests the nearest that exists."""

    exit_code = 5
    http_status = 404

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = nearest(name, names)
        listing = ", ".join(names) if names else "none yet"
        super().__init__(
            f"no {kind} is called {name!r}",
            fix=f"did you mean {near!r}?" if near else f"choose one of: {listing}",
        )
        self.kind, self.name, self.known = kind, name, tuple(names)


class ModelError(TunesmithError):
    """A base model or adapter cannot be found or loaded."""

    exit_code = 6
    http_status = 503


class UnsafeWeightsError(ModelError):
    """Weights in a format that can run code when opened (pickle), or a model that asks to run its own code."""

    http_status = 403

    def __init__(self, reference: str, found: str) -> None:
        super().__init__(
            f"{reference} holds {found}, which can run code when it is opened; nothing was loaded",
            fix="use a revision that carries .safetensors weights"
            " (custom model code: set `model.trust_remote_code: true` after reading it)",
        )
        self.reference, self.found = reference, found


class ChecksumError(ModelError):
    """Bytes on disk differ from the bytes that were promised."""

    http_status = 502

    def __init__(self, path: str, *, expected: str, found: str) -> None:
        super().__init__(
            f"{path} has SHA-256 {found[:16]}…, expected {expected[:16]}…",
            fix="delete the file and run again to fetch it anew",
        )
        self.path, self.expected, self.found = path, expected, found


class DoesNotFitError(TunesmithError):
    """Training or an export needs more memory than the device has."""

    exit_code = 7
    http_status = 507

    def __init__(
        self,
        *,
        needed_bytes: int,
        available_bytes: int,
        device: str,
        fix: str,
        task: str = "training",
    ) -> None:
        super().__init__(
            f"{task} needs about {needed_bytes / 2**30:.1f} GiB, {device} has {available_bytes / 2**30:.1f} GiB",
            fix=fix,
        )
        self.needed_bytes, self.available_bytes, self.device = needed_bytes, available_bytes, device


class OutOfMemoryError(DoesNotFitError):
    """Memory ran out in the middle of training, with a single example in the micro-batch or outside of a step."""

    def __init__(self, reason: str, *, tokens: int | None = None) -> None:
        where = f"computing a single example of {tokens} tokens" if tokens else "between two steps"
        TunesmithError.__init__(
            self,
            f"memory ran out {where} ({reason})",
            fix="set train.gradient_checkpointing: true or lower train.sequence_length;"
            " `tunesmith train --plan` suggests settings that fit",
        )
        self.tokens = tokens


class TrainingError(TunesmithError):
    """Training stopped because going on would be wrong."""

    exit_code = 8


class DivergedError(TrainingError):
    """The loss stopped being a number or ran away; names the step, the rows in its batch and what is left."""

    def __init__(
        self, what: str, *, step: int, rows: Sequence[str], checkpoint: str | None
    ) -> None:
        shown = ", ".join(rows[:SHOWN_ROWS])
        more = f" and {len(rows) - SHOWN_ROWS} more" if len(rows) > SHOWN_ROWS else ""
        kept = (
            f"the last good checkpoint is {checkpoint}" if checkpoint else "no checkpoint is older"
        )
        super().__init__(
            f"{what} at step {step}, computing {len(rows)} row(s): {shown}{more}; {kept}",
            fix="lower train.learning_rate; if it happens at the same rows again, look at them",
        )
        self.step, self.rows, self.checkpoint = step, tuple(rows), checkpoint


class RequestError(TunesmithError):
    """A request that cannot be answered as it was asked."""

    exit_code = 9
    http_status = 400


class ForeignOriginError(RequestError):
    """A page of another site, or no page at all, wants to change something here."""

    http_status = 403

    def __init__(self, origin: str | None, *, expected: str) -> None:
        super().__init__(
            f"a change was asked for from {origin or 'outside a browser'}, not from {expected}",
            fix=f"open {expected} in the browser and make the change there",
        )
        self.origin, self.expected = origin, expected


class RequestTooLargeError(RequestError):
    """More bytes or tokens than the server's limits allow."""

    http_status = 413

    def __init__(self, what: str, *, size: int, limit: int, unit: str) -> None:
        super().__init__(
            f"{what} has {size} {unit}, the limit is {limit}", fix=f"send at most {limit} {unit}"
        )
        self.size, self.limit = size, limit


class OverloadedError(RequestError):
    """The queue is full: the request was refused at once instead of waiting without end."""

    http_status = 429

    def __init__(self, waiting: int, limit: int) -> None:
        super().__init__(
            f"{waiting} requests are waiting, the limit is {limit}", fix="try again in a moment"
        )
        self.waiting, self.limit = waiting, limit


class MissingDependencyError(TunesmithError):
    """An optional package is needed and not installed."""

    exit_code = 10
    http_status = 501

    def __init__(self, package: str, *, needed_for: str, install: str) -> None:
        super().__init__(
            f"{needed_for} needs the package {package}, which is not installed",
            fix=f"run `{install}`",
        )
        self.package, self.needed_for = package, needed_for


class GateNotPassedError(TunesmithError):
    """A release was refused promotion because a gate did not pass."""

    exit_code = 11
    http_status = 409

    def __init__(
        self, gate: str, *, measured: float | None, required: float, is_strict: bool = False
    ) -> None:
        found = "nothing was measured" if measured is None else f"measured {measured:.3f}"
        needed = f"{'more than' if is_strict else 'at least'} {required:.3f}"
        super().__init__(
            f"gate {gate!r} is not passed: {found}, required {needed}",
            fix="run `tunesmith evaluate`, improve the data or relax `release:` in the recipe;"
            " `--force` promotes all the same",
        )
        self.gate, self.measured, self.required = gate, measured, required


class PersonalDataError(TunesmithError):
    """A check found personal data that should not be there; says how much of what, never the data."""

    exit_code = 12
    http_status = 422

    def __init__(self, where: str, by_type: Mapping[str, int]) -> None:
        listing = ", ".join(f"{count} {kind}" for kind, count in by_type.items())
        super().__init__(
            f"{where} holds personal data: {listing}",
            fix="mask it with `tunesmith curate mask FILE --field NAME --out MASKED`,"
            " or allow what is no secret with `--set curate.privacy.allow=[…]`",
        )
        self.where, self.by_type = where, dict(by_type)


class EndpointError(TunesmithError):
    """A model elsewhere gave no answer, however often it was asked."""

    exit_code = 13
    http_status = 502

    def __init__(self, address: str, reason: str, *, attempts: int, fix: str = "") -> None:
        super().__init__(
            f"{address} gave no answer in {attempts} attempt(s), the last time: {reason}",
            fix=fix
            or "see whether it is up, and run again: what was answered is kept and not asked again",
        )
        self.address, self.reason = address, reason


class EndpointRefusedError(EndpointError):
    """A model elsewhere refuses what it would refuse every time."""

    def __init__(self, address: str, reason: str, key_variable: str | None) -> None:
        key = f"the key in {key_variable}" if key_variable else "`key_variable`"
        super().__init__(
            address, reason, attempts=1, fix=f"check {key}, the address and the model's name"
        )


class BusyError(TunesmithError):
    """Another process is at work where two would get into each other's way."""

    exit_code = 14
    http_status = 409

    def __init__(self, work: str, *, process: int | None) -> None:
        holder = f"process {process}" if process else "another process"
        super().__init__(
            f"{work} is already running here ({holder})", fix=f"wait for it, or stop {holder}"
        )
        self.work, self.process = work, process


def _restored(
    kind: type[TunesmithError], args: tuple[object, ...], facts: dict[str, object]
) -> TunesmithError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None where nothing is near."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None
