"""Synthesis against a strict server: marked rows, filters, a budget that holds, and no answer paid for twice."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import example
from curate.teaching import SUBJECTS, lines, plan, synthesize, teach
from teacher_server import Fault, TeacherServer, served
from tunesmith.artifacts.review import ReviewDecision, ReviewLog
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.stage import run as curate
from tunesmith.curate.synthesis.diversity import Neighbourhood
from tunesmith.curate.synthesis.forecast import forecast
from tunesmith.errors import DataError, EndpointError, EndpointRefusedError

COMMAND = [sys.executable, "-c", "from tunesmith.cli.main import main; main()"]


pytestmark = pytest.mark.usefixtures("teacher_key")


ALL = (
    {"task": "instructions", "count": 12},
    {"task": "documents", "count": 4},
    {"task": "harder", "count": 3},
    {"task": "persona", "count": 10, "personas": ["a child", "a lawyer"]},
    {"task": "paraphrase", "count": 3},
    {"task": "answers", "count": 2},
)


def test_every_task_makes_rows_that_say_who_made_them_from_what(seeds):
    (seeds.root / "guide.md").write_text("# A\n\nx\n\n" + "x " * 1_500 + "\n\nend")
    server = TeacherServer(teach)

    with served(server.app) as url:
        made = synthesize(plan(url, *ALL, documents=["guide.md"], judge_score=4), seeds)

    rows, aside = lines(made.output), lines(made.aside_path)
    by_task = {task["task"]: [r for r in rows if r["tags"][1] == task["task"]] for task in ALL}
    judged_down = [row["task"] for row in aside if row["step"] == "judge"]
    for task in ALL:
        name = task["task"]
        assert len(by_task[name]) + judged_down.count(name) == task["count"], name
    assert len(by_task["instructions"]) == 12
    assert {row["reason"] for row in aside if row["step"] == "judge"} <= {"scored 2: checked"}
    row = by_task["harder"][0]
    assert row["metadata"].items() >= {"teacher": "m", "task": "harder", "judge_score": "5"}.items()
    assert re.fullmatch(r"harder-[0-9a-f]{8}", row["metadata"]["prompt_id"])
    assert row["metadata"]["seed"].startswith("data/seeds.jsonl:")
    assert row["messages"][1]["content"] == f"answer to {row['messages'][0]['content']}"
    kept = by_task["paraphrase"][0]
    assert kept["messages"][1]["content"].startswith("Below the ")
    assert by_task["documents"][0]["group"] == "document:guide.md"
    assert len(set(server.paid)) == len(server.paid) == made.requests


def test_what_is_not_good_enough_is_kept_aside_with_its_reason(seeds):
    (seeds.root / "schema.json").write_text('{"type": "object", "required": ["n"]}')
    written: dict[str, str | Fault] = {
        "invoice": '{"instruction": "Where do I find my invoice? "}',
        "parcel": "I would rather not",
        "password": Fault(400, {}, b'{"error": {"message": "filtered"}}'),
    }
    answered = {"refund": '{"m": 1}', "printer": "no json", "holiday": '{"n": "bad"}'}

    def script(prompt: str, body) -> str | Fault:
        replies = written if "<request>" in prompt else answered
        usual = teach(prompt, body) if "<request>" in prompt else '{"n": 1}'
        return next((replies[s] for s in replies if s in prompt or s[::-1] in prompt), usual)

    config = {"answer_schema": "schema.json", "graders": [{"regex": {"pattern": ".*[12]}"}}]}
    with served(TeacherServer(script).app) as url:
        made = synthesize(plan(url, {"task": "harder", "count": 10}, **config), seeds)

    aside = lines(made.aside_path)
    found = {(row["step"], row["reason"]) for row in aside}
    assert found == {
        ("novelty", "1.00 like: Where do I find my invoice?"),
        ("write", "Expecting value: line 1 column 1 (char 0)"),
        ("write", f"{url} refuses a request, 400: filtered"),
        ("answer", "not as asked: $: 'n' is a required property"),
        ("answer", "Expecting value: line 1 column 1 (char 0)"),
        ("grade", "regex: does not match .*[12]}"),
    }
    assert all(row["task"] == "harder" and row["seed"] for row in aside)
    assert (made.rows, made.aside) == (4, {"write": 2, "novelty": 1, "answer": 2, "grade": 1})


def test_a_reply_without_the_form_is_asked_for_once_more(seeds):
    tries: dict[str, int] = {}

    def script(prompt: str, body) -> str:
        tries[prompt] = tries.get(prompt, 0) + 1
        if "<request>" in prompt and tries[prompt] == 1:
            return '{"instruction": '
        return teach(prompt, body)

    with served(TeacherServer(script).app) as url:
        made = synthesize(plan(url, {"task": "harder", "count": 2}), seeds)
        again = synthesize(plan(url, {"task": "harder", "count": 2}), seeds)

    assert (made.rows, made.requests, made.cached) == (2, 6, 0)
    assert (again.rows, again.requests, again.cached) == (2, 6, 6)


def test_the_budget_is_never_passed_and_raising_it_goes_on_where_it_stopped(seeds):
    tasks = ({"task": "harder", "count": 10},)
    options = {"answer_tokens": 20, "teacher": {"prompt_price": 1000, "answer_price": 2000}}

    def spent(server: TeacherServer) -> int:
        return sum(len(entry.question.split()) for entry in server.log if entry.status == 200)

    server = TeacherServer(teach)
    with served(server.app) as url:
        first = synthesize(plan(url, *tasks, budget={"money": 10}, **options), seeds)
        assert first.is_exhausted
        assert 0 < first.money <= 10
        assert 0 < first.rows < 10
        assert spent(server) == first.prompt_tokens
        reasons = {row["reason"] for row in lines(first.aside_path)}
        assert "not asked: the budget is used up" in reasons

        second = synthesize(plan(url, *tasks, budget={"tokens": 10**6}, **options), seeds)

    assert (second.rows, second.is_exhausted) == (10, False)
    assert second.cached == first.requests
    assert len(set(server.paid)) == len(server.paid)


def test_killed_in_the_middle_it_goes_on_without_paying_twice_and_makes_the_same_rows(tmp_path):
    server = TeacherServer(teach)

    def counted(prompt: str, body) -> str:
        if len(server.paid) == 8 and not list(tmp_path.glob("*/killed")):
            server.hold.set()
        return teach(prompt, body)

    def workspace_of(name: str, url: str) -> Path:
        root = tmp_path / name
        (root / "data").mkdir(parents=True)
        rows = [{"prompt": f"Where is my {s}?", "completion": "There."} for s in SUBJECTS]
        (root / "data/seeds.jsonl").write_text("\n".join(map(json.dumps, rows)))
        recipe = {"name": "a", "curate": plan(url, *ALL[2:], judge_score=3).model_dump(mode="json")}
        (root / "tunesmith.yaml").write_text(json.dumps(recipe))
        return root

    def start(root: Path) -> subprocess.Popen[str]:
        command = [*COMMAND, "curate", "synthesize", "--json"]
        return subprocess.Popen(
            command, cwd=root, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )

    with served(server.app) as url:
        whole = workspace_of("whole", url)
        start(whole).communicate()
        expected = (whole / "data/synthetic.jsonl").read_text()
        asked = sorted(server.paid)
        server.log.clear()
        server.script = counted

        broken = workspace_of("broken", url)
        process = start(broken)
        answers = broken / ".tunesmith/synthesis/answers.sqlite"
        deadline = time.monotonic() + 120
        while not (server.hold.is_set() and kept(answers) == len(server.paid)):
            late = time.monotonic() > deadline or process.poll() is not None
            if late:
                process.kill()
            assert not late, (process.poll(), server.hold.is_set(), kept(answers), server.log)
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        (broken / "killed").touch()
        while server.waiting:
            time.sleep(0.02)
        paid_before = len(server.paid)
        server.hold.clear()
        said = json.loads(start(broken).communicate()[0])

    assert 8 <= paid_before < len(asked)
    assert said["cached"] == paid_before
    assert sorted(server.paid) == asked
    assert len(set(asked)) == len(asked)
    assert (broken / "data/synthetic.jsonl").read_text() == expected


def kept(path: Path) -> int:
    if not path.is_file():
        return -1
    with sqlite3.connect(path) as database:
        try:
            return database.execute("SELECT count(*) FROM answers").fetchone()[0]
        except sqlite3.OperationalError:
            return -1


def test_rows_made_from_a_golden_question_never_reach_training(seeds):
    with served(TeacherServer(teach).app) as url:
        config = plan(url, {"task": "harder", "count": 10})
        synthesize(config, seeds)
    config = config.model_copy(update={"golden_share": 0.4, "validation_share": 0.3})

    dataset, golden = curate(config, seeds)

    def subjects(texts) -> set[str]:
        text = " ".join(texts)
        return {s for s in SUBJECTS if s in text or s[::-1] in text}

    sides = [
        subjects(e.prompt[-1].content for e in dataset.examples(seeds, split))
        for split in ("train", "validation")
    ]
    sides.append(subjects(case.messages[-1].content for case in golden.cases(seeds)))
    assert sum(map(len, sides)) == len(set.union(*sides)) == 10
    assert any("synthetic" in e.tags for e in dataset.examples(seeds, "train"))


def test_what_curation_masks_a_teacher_never_sees_and_rejected_rows_are_no_seeds(workspace):
    rows = [
        {
            "prompt": "Write to ann.lee@example.com for me.",
            "completion": "Done, ann.lee@example.com.",
        },
        {"prompt": "Call the office.", "completion": "Wrong."},
    ]
    (workspace.root / "data").mkdir()
    (workspace.root / "data/a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (workspace.root / "guide.txt").write_text("Mail the desk at desk.a@example.com.")
    bad = example("Call the office.", "Wrong.").key
    ReviewLog(workspace).append([ReviewDecision(example_key=bad, verdict="reject", reviewer="ana")])
    server = TeacherServer(teach)

    with served(server.app) as url:
        tasks = ({"task": "harder"}, {"task": "documents", "count": 1})
        config = plan(url, *tasks, documents=["guide.txt"])
        privacy = CurateConfig.model_validate({"privacy": {"mode": "mask"}}).privacy
        made = synthesize(config.model_copy(update={"privacy": privacy}), workspace)

    seen = " ".join(entry.question for entry in server.log)
    assert "Write to" in seen
    assert "Mail the desk" in seen
    assert "ann.lee" not in seen + made.output.read_text()
    assert "desk.a" not in seen
    assert "Call the office" not in seen


def test_a_dead_or_refusing_teacher_stops_the_run_and_what_was_answered_is_kept(seeds, monkeypatch):
    answered: list[str] = []

    def script(prompt: str, body) -> str | Fault:
        answered.append(prompt)
        return teach(prompt, body) if len(answered) <= 4 else Fault(503)

    options = {"teacher": {"attempts": 1, "concurrency": 1}}
    server = TeacherServer(script)
    with served(server.app) as url:
        config = plan(url, {"task": "harder", "count": 10}, **options)
        with pytest.raises(EndpointError, match="503"):
            synthesize(config, seeds)
        assert 4 + 5 <= len(server.log) <= 4 + 5 + 1
        server.script = teach
        assert synthesize(config, seeds).cached == 4
        monkeypatch.setenv("TEACHER_KEY", "wrong")
        with pytest.raises(EndpointRefusedError):
            synthesize(plan(url, {"task": "answers", "count": 3}), seeds)


def test_the_forecast_names_every_request_and_a_ceiling_of_their_cost_and_asks_nothing(seeds):
    server = TeacherServer(teach)
    options = {"judge_score": 1, "teacher": {"prompt_price": 10, "answer_price": 20}}
    tasks = [task for task in ALL if task["task"] != "documents"]

    with served(server.app) as url:
        config = plan(url, *tasks, **options)
        expected = forecast(config, config.synthesize, seeds)
        assert server.log == []
        made = synthesize(config, seeds)

    assert sum(step.requests for step in expected.steps) == made.requests
    assert made.money <= expected.money
    assert made.prompt_tokens + made.answer_tokens <= expected.tokens
    assert "clearly harder" in next(s.example for s in expected.steps if s.name == "harder")


def test_seeds_may_be_questions_alone_and_none_at_all_is_said(workspace):
    (workspace.root / "data").mkdir()
    path = workspace.root / "data/seeds.jsonl"
    path.write_text(
        '{"instruction": "Name a colour."}\n{"messages": [{"role": "user", "content": "Hi"}]}'
    )

    with served(TeacherServer(teach).app) as url:
        tasks = ({"task": "answers"}, {"task": "paraphrase"})
        made = synthesize(plan(url, *tasks), workspace)
        assert made.is_source
        elsewhere = synthesize(plan(url, *tasks, output="elsewhere.jsonl"), workspace)
        assert not elsewhere.is_source
        questions = [row["messages"][0]["content"] for row in lines(made.output)]
        assert questions == ["Name a colour.", "Hi"]

        path.rename(workspace.root / "other.jsonl")
        (workspace.root / "data/synthetic.jsonl").unlink()
        moved = synthesize(
            plan(url, *tasks, seeds=["other.jsonl"], output="elsewhere.jsonl"), workspace
        )
        assert (moved.rows, moved.is_source) == (2, False)

        path.write_text("{}\n")
        with pytest.raises(DataError, match="no seed row"):
            synthesize(plan(url, *tasks), workspace)


def test_similarity_is_the_share_of_letter_sequences_in_common():
    known = Neighbourhood()
    known.add("abcdefg")  # abcde bcdef cdefg
    known.add("zzzzz")

    # bcdef cdefg defgh: two of four are shared.
    assert known.nearest("bcdefgh") == (0.5, "abcdefg")
    assert known.nearest("ABCDEFG!") == (1.0, "abcdefg")
    assert known.nearest("qqqqq").similarity == 0
