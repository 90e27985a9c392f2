"""Ledger: what was ever paid for answers in a workspace; it stays when the answers themselves are forgotten."""

import sqlite3
from collections.abc import Callable
from typing import NamedTuple

from tunesmith.engines.endpoint import Completion

TABLE = """
CREATE TABLE payments (
    model TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    answer_tokens INTEGER NOT NULL,
    money REAL,
    paid_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT
"""
FROM_ANSWERS = """
INSERT INTO payments (model, prompt_tokens, answer_tokens, paid_at)
SELECT model, prompt_tokens, completion_tokens, answered_at FROM answers
"""
"""What was paid before there was a ledger; at which prices, nobody wrote down."""

Price = Callable[[str, int, int], float]
"""What so many prompt and answer tokens of a model cost today."""


class Paid(NamedTuple):
    """What has been paid."""

    prompt_tokens: int = 0
    answer_tokens: int = 0
    money: float = 0.0


class Ledger:
    """A line for every answer that was paid, in the database of the answers."""

    def __init__(self, database: sqlite3.Connection) -> None:
        """Open the ledger, or begin one with the answers there are."""
        self._database = database
        known = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'payments'").fetchone()
        if known is None:
            with database:
                database.execute("BEGIN IMMEDIATE")
                database.execute(TABLE)
                database.execute(FROM_ANSWERS)

    def add(self, model: str, answer: Completion, money: float | None) -> None:
        """Count an answer, in the transaction that keeps it.

        Args:
            model: Who gave it.
            answer: With its tokens.
            money: What it cost; None where the recipe names no price.
        """
        self._database.execute(
            "INSERT INTO payments (model, prompt_tokens, answer_tokens, money) VALUES (?, ?, ?, ?)",
            (model, answer.prompt_tokens, answer.completion_tokens, money),
        )

    def total(self, price: Price) -> Paid:
        """Everything ever paid, at the prices of the time; what had no price then counts at today's."""
        lines = self._database.execute(
            "SELECT model, money IS NULL, SUM(prompt_tokens), SUM(answer_tokens), SUM(money)"
            " FROM payments GROUP BY 1, 2"
        ).fetchall()
        return Paid(
            sum(prompt for _, _, prompt, _, _ in lines),
            sum(answer for _, _, _, answer, _ in lines),
            sum(
                price(model, prompt, answer) if has_no_price else money
                for model, has_no_price, prompt, answer, money in lines
            ),
        )
