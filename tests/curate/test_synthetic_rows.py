"""Where synthetic rows go: never over rows of the user's, and never back in as seeds."""

import json

import pytest

from curate.teaching import lines, plan, plant_seeds, synthesize, teach
from teacher_server import KEY, TeacherServer, served
from tunesmith.core.workspace import Workspace
from tunesmith.curate.synthesis.forecast import forecast
from tunesmith.errors import DataError

HARDER = {"task": "harder", "count": 6}


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("TEACHER_KEY", KEY)


@pytest.fixture
def seeds(workspace) -> Workspace:
    return plant_seeds(workspace)


@pytest.mark.parametrize(
    "mine",
    [
        '{"prompt": "Mine?", "completion": "Yes."}\n',
        '{"prompt": "Mine?", "completion": "Yes.", "tags": ["synthetic"], "metadata": {"by": "me"}}',
        "question,answer\nMine?,Yes.\n",
        "[]",
    ],
)
def test_a_file_with_rows_of_the_users_is_never_written_over_and_nothing_is_paid(seeds, mine):
    path = seeds.root / "mine.jsonl"
    path.write_text(mine)
    server = TeacherServer(teach)

    with served(server.app) as url:
        config = plan(url, HARDER, output="mine.jsonl")
        with pytest.raises(DataError, match=r"mine\.jsonl holds in line 1 no row") as refused:
            synthesize(config, seeds)
        with pytest.raises(DataError, match=r"mine\.jsonl"):
            forecast(config, config.synthesize, seeds)

    assert "curate.synthesize.output" in refused.value.fix
    assert path.read_text() == mine
    assert server.log == []


def test_rows_that_the_user_adds_to_the_output_are_not_lost_by_the_next_run_or_the_one_under_way(
    seeds,
):
    output = seeds.root / "out.jsonl"
    mine = '{"prompt": "Mine?", "completion": "Yes."}\n'

    def meanwhile(prompt: str, body) -> str:
        output.write_text(mine)
        return teach(prompt, body)

    with served(TeacherServer(teach).app) as url:
        config = plan(url, HARDER, output="out.jsonl")
        synthesize(config, seeds)
        assert synthesize(config, seeds).rows == 6
        with output.open("a") as stream:
            stream.write(mine)
        whole = output.read_text()
        with pytest.raises(DataError, match="line 7"):
            synthesize(config, seeds)
        assert output.read_text() == whole

    output.unlink()
    server = TeacherServer(meanwhile)
    with served(server.app) as url:
        with pytest.raises(DataError, match="line 1"):
            synthesize(plan(url, HARDER, output="out.jsonl"), seeds)
        assert output.read_text() == mine
        paid = len(server.paid)
        output.unlink()
        server.script = teach
        made = synthesize(plan(url, HARDER, output="out.jsonl"), seeds)

    assert (made.rows, len(server.paid)) == (6, paid)
    assert [json.loads(line)["tags"][0] for line in output.read_text().splitlines()] == [
        "synthetic"
    ] * 6
    assert len(lines(made.output)) == 6


def test_a_folder_is_no_output(seeds):
    with (
        served(TeacherServer(teach).app) as url,
        pytest.raises(DataError, match="data is a folder"),
    ):
        synthesize(plan(url, HARDER, output="data"), seeds)
