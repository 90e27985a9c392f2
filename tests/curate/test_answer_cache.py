"""Answers of a teacher at rest: for their owner alone, and without personal data once the recipe masks."""

import sqlite3
from pathlib import Path

from tunesmith.core.privacy.config import PrivacyConfig
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.personal_data import holds_personal
from tunesmith.curate.synthesis.cache import AnswerCache
from tunesmith.curate.synthesis.stage import _cache
from tunesmith.engines.endpoint import Completion

RULES = PrivacyConfig(mode="mask", model="")


def answer(text: str) -> Completion:
    return Completion(text, "stop", 1, 1, 0.1)


def filled(path: Path) -> None:
    cache = AnswerCache(path)
    cache.put("personal", "m", answer("Write to maria.garcia@example-shop.com about it."))
    cache.put("plain", "m", answer("Water boils at a hundred degrees."))
    cache.close()


def test_nobody_else_may_read_the_answers_not_even_those_of_an_older_file(tmp_path):
    path = tmp_path / "answers.sqlite"
    path.touch(0o644)

    cache = AnswerCache(path)
    cache.put("a", "m", answer("x"))

    beside = list(tmp_path.glob("answers.sqlite*"))
    assert {file.stat().st_mode & 0o077 for file in beside} == {0}
    assert len(beside) > 1
    cache.close()


def test_once_the_recipe_masks_answers_with_personal_data_from_before_are_gone_from_the_disk(
    tmp_path,
):
    path = tmp_path / "answers.sqlite"
    filled(path)

    cache = _cache(CurateConfig(privacy=RULES), path)

    assert cache.get("personal") is None
    assert cache.get("plain") == answer("Water boils at a hundred degrees.")
    # What was asked masked is kept whatever the teacher made up, or it would be paid for again and again.
    cache.put("made up", "m", answer("Dear john.doe@example-shop.com"))
    cache.close()
    again = _cache(CurateConfig(privacy=RULES), path)
    assert again.get("made up") is not None
    again.close()
    assert all(b"maria.garcia" not in file.read_bytes() for file in tmp_path.iterdir())


def test_a_file_of_an_earlier_version_is_opened_and_looked_through(tmp_path):
    path = tmp_path / "answers.sqlite"
    filled(path)
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE answers DROP COLUMN is_clean")

    cache = AnswerCache(path, is_masking=True)

    assert cache.forget_personal(lambda texts: holds_personal(texts, RULES)) == 1
    assert cache.forget_personal(lambda texts: [True for _ in texts]) == 0
    cache.close()
