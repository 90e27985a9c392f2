"""Answers that were paid for, on the disk before anything is done with them; nothing is asked twice."""

import sqlite3
from contextlib import ExitStack
from pathlib import Path

from tunesmith.core import fingerprint
from tunesmith.core.workspace import alone
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
    answered_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT
"""


class AnswerCache:
    """Request -> answer in a SQLite file that survives `kill -9`; rows are added and never changed."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it.

        Raises:
            BusyError: If another process has it open: two that ask the same would both pay.
        """
        self._held = ExitStack()
        self._held.enter_context(alone(path.with_suffix(".lock"), "synthesis"))
        self._database = sqlite3.connect(path, isolation_level=None, timeout=60)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute(TABLE)

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

    def put(self, key: str, model: str, answer: Completion) -> None:
        """Keep an answer; it is on the disk on return."""
        self._database.execute(
            "INSERT OR IGNORE INTO answers"
            " (key, model, text, finish_reason, prompt_tokens, completion_tokens, seconds)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (key, model, *answer),
        )

    def close(self) -> None:
        """Close the file, and let others have it."""
        self._database.close()
        self._held.close()
