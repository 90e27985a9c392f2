"""The budget is for all that was ever paid in a workspace, whatever it was paid for."""

import sqlite3
from pathlib import Path

import pytest

from curate.teaching import plan, synthesize, teach
from teacher_server import TeacherServer, served
from tunesmith.core.workspace import Workspace
from tunesmith.curate.synthesis.cache import AnswerCache
from tunesmith.engines.endpoint import Completion

pytestmark = pytest.mark.usefixtures("teacher_key")


def answer(prompt: int, completion: int) -> Completion:
    return Completion("x", "stop", prompt, completion, 0.1)


def paid_in(workspace: Workspace) -> int:
    with sqlite3.connect(workspace.root / ".tunesmith/synthesis/answers.sqlite") as database:
        answers = database.execute("SELECT SUM(prompt_tokens + completion_tokens) FROM answers")
        return answers.fetchone()[0]


def test_runs_with_other_settings_share_one_budget_and_say_what_all_of_them_have_cost(seeds):
    limit, told = 2_500, []

    with served(TeacherServer(teach).app) as url:
        for step in range(5):
            model = "m" if step < 3 else "another"
            task = {"task": "harder", "count": 6, "temperature": step / 10}
            teacher = {"model": model, "prompt_price": 100, "concurrency": 1}
            budget = {"tokens": limit}
            config = plan(url, task, budget=budget, teacher=teacher, answer_tokens=20)
            told.append(synthesize(config, seeds))
            assert told[-1].prompt_tokens + told[-1].answer_tokens == paid_in(seeds) <= limit

    assert not told[0].is_exhausted
    assert told[-1].is_exhausted
    assert [made.money for made in told] == sorted(made.money for made in told)
    assert 0 < told[0].money < told[1].money


def test_what_costs_nothing_new_is_still_made_when_the_budget_is_used_up(seeds):
    server = TeacherServer(teach)
    task = {"task": "harder", "count": 3}
    with served(server.app) as url:
        first = synthesize(plan(url, task), seeds)
        spent = first.prompt_tokens + first.answer_tokens
        again = synthesize(plan(url, task, budget={"tokens": spent}), seeds)
        more = synthesize(
            plan(url, {"task": "harder", "count": 4}, budget={"tokens": spent}), seeds
        )

    assert (again.rows, again.is_exhausted, again.cached) == (3, False, 6)
    assert (more.rows, more.is_exhausted) == (3, True)
    assert len(server.paid) == 6


def test_what_was_paid_stays_counted_at_its_price_when_the_answer_is_forgotten(tmp_path):
    cache = AnswerCache(tmp_path / "answers.sqlite")
    cache.put("a", "m", answer(1, 10), money=0.5)
    cache.put("b", "n", answer(2, 20))  # the recipe named no price

    assert cache.forget_personal(lambda texts: [True for _ in texts]) == 2
    cache.put("a", "m", answer(4, 40), money=0.25)

    def price(model: str, prompt_tokens: int, answer_tokens: int) -> float:
        assert model == "n"
        return prompt_tokens + answer_tokens / 10

    assert cache.paid(price) == (7, 70, 0.75 + 4)
    cache.close()


def test_answers_from_before_there_was_a_ledger_are_counted_once(tmp_path):
    path = Path(tmp_path / "answers.sqlite")
    cache = AnswerCache(path)
    cache.put("a", "m", answer(1, 10), money=0.5)
    cache.close()
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE payments")

    for _ in range(2):
        cache = AnswerCache(path)
        assert cache.paid(lambda model, prompt, made: prompt + made) == (1, 10, 11)
        cache.close()
