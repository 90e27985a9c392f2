"""Answers that were paid for, on the disk before anything is done with them; nothing is asked twice."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tunesmith.core import fingerprint
from tunesmith.core.workspace import alone
from tunesmith.curate.synthesis.ledger import Ledger, Paid, Price
from tunesmith.engines.endpoint import Completion, FinishReason, Generation
from tunesmith.engines.remote_config import RemoteConfig

TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    model TEXT NOT NULL,
    text TEXT NOT NULL,
    finish_reason TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    seconds REAL NOT NULL,
    answered_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    is_clean INTEGER NOT NULL DEFAULT 0
) STRICT
"""


OWNER_ALONE = 0o600
"""Rights of the file: what a teacher was asked about may hold personal data, and so may its answers."""


class AnswerCache:
    """Request -> answer in a SQLite file that survives `kill -9` and that its owner alone can read."""

    def __init__(self, path: Path, *, is_masking: bool = False) -> None:
        """Open the file, or make it.

        Args:
            path: The file.
            is_masking: Whether personal data is taken out of what is asked.

        Raises:
            BusyError: If another process has it open: two that ask the same would both pay.
        """
        self._held = ExitStack()
        self._held.enter_context(alone(path.with_suffix(".lock"), "synthesis"))
        self._is_masking = is_masking
        path.touch(OWNER_ALONE)
        path.chmod(OWNER_ALONE)  # SQLite gives the files beside it the same
        self._database = sqlite3.connect(path, isolation_level=None, timeout=60)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute("PRAGMA secure_delete=ON")
        self._database.execute(TABLE)
        columns = {row[1] for row in self._database.execute("PRAGMA table_info(answers)")}
        if "is_clean" not in columns:
            # A file of a version that did not know of masking.
            self._database.execute(
                "ALTER TABLE answers ADD COLUMN is_clean INTEGER NOT NULL DEFAULT 0"
            )
        self._ledger = Ledger(self._database)

    @staticmethod
    def key(config: RemoteConfig, request: Generation) -> str:
        """The same for requests that would be answered the same: model, address and all that is asked."""
        asked = request.model_dump(mode="json")
        return fingerprint.of_json([config.protocol, config.address, config.model, asked])

    def get(self, key: str) -> Completion | None:
        """The answer under this key."""
        found = self._database.execute(
            "SELECT text, finish_reason, prompt_tokens, completion_tokens, seconds"
            " FROM answers WHERE key = ?",
            (key,),
        ).fetchone()
        if found is None:
            return None
        reason: FinishReason = "length" if found[1] == "length" else "stop"
        return Completion(found[0], reason, found[2], found[3], found[4])

    def put(self, key: str, model: str, answer: Completion, *, money: float | None = None) -> None:
        """Keep an answer and count what was paid for it; both are on the disk on return.

        Args:
            key: Of the request.
            model: Who gave it.
            answer: As it came.
            money: What it cost; None where the recipe names no price.
        """
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(
                "INSERT OR IGNORE INTO answers"
                " (key, model, text, finish_reason, prompt_tokens, completion_tokens, seconds,"
                " is_clean) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (key, model, *answer, self._is_masking),
            )
            self._ledger.add(model, answer, money)

    def paid(self, price: Price) -> Paid:
        """What all answers that were ever put here have cost, those that are forgotten included."""
        return self._ledger.total(price)

    def forget_personal(self, holds_personal: Callable[[Sequence[str]], Sequence[bool]]) -> int:
        """Delete answers to what was asked unmasked, if personal data is in them; returns how many there were.

        Each is looked at once. What is deleted is overwritten on the disk. That it was paid stays known.
        """
        rows = self._database.execute("SELECT key, text FROM answers WHERE NOT is_clean").fetchall()
        if not rows:
            return 0
        is_held = holds_personal([text for _, text in rows])
        gone = [(key,) for (key, _), held in zip(rows, is_held, strict=True) if held]
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("DELETE FROM answers WHERE key = ?", gone)
            self._database.execute("UPDATE answers SET is_clean = 1")
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return len(gone)

    def close(self) -> None:
        """Close the file, and let others have it."""
        self._database.close()
        self._held.close()
