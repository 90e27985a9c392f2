"""Where synthetic rows go: never over rows of the user's, and never back in as seeds."""

import json

import pytest

from curate.teaching import lines, plan, synthesize, teach
from teacher_server import TeacherServer, served
from tunesmith.curate.stage import run as curate
from tunesmith.curate.synthesis.forecast import forecast
from tunesmith.errors import DataError, NotMadeYetError

HARDER = {"task": "harder", "count": 6}


pytestmark = pytest.mark.usefixtures("teacher_key")


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


def test_its_own_output_in_a_folder_of_sources_is_no_seed_and_nothing_is_paid_again(seeds):
    server = TeacherServer(teach)
    tasks = (HARDER, {"task": "instructions", "count": 7})

    with served(server.app) as url:
        config = plan(url, *tasks).model_copy(update={"sources": ("data",)})
        made = [synthesize(config, seeds)]
        whole, paid = made[0].output.read_text(), len(server.paid)
        made += [synthesize(config, seeds) for _ in range(2)]
        assert (made[2].output.read_text(), len(server.paid)) == (whole, paid)
        assert forecast(config, config.synthesize, seeds).seeds == 10

        (seeds.root / "other.jsonl").write_text('{"prompt": "Why?", "completion": "So."}')
        elsewhere = plan(url, *tasks, seeds=["other.jsonl"])
        first = synthesize(elsewhere.model_copy(update={"sources": ("data",)}), seeds)
        kept, more = first.output.read_text(), len(server.paid)
        synthesize(elsewhere.model_copy(update={"sources": ("data",)}), seeds)

    assert [one.rows for one in made] == [13] * 3
    assert made[2].cached == made[2].requests == paid
    assert [one.is_source for one in made] == [True] * 3
    assert (first.output.read_text(), len(server.paid)) == (kept, more)


def test_rows_of_another_synthesis_are_no_seeds_but_new_questions_keep_away_from_them(seeds):
    with served(TeacherServer(teach).app) as url:
        config = plan(url, HARDER)
        first = synthesize(config, seeds)
        second = synthesize(
            plan(url, {"task": "harder", "count": 10}, output="data/b.jsonl"), seeds
        )

    asked = [row["messages"][0]["content"] for row in lines(first.output) + lines(second.output)]
    assert (first.rows, second.rows, second.aside) == (6, 4, {"novelty": 6})
    assert len(set(asked)) == 10
    assert all(
        row["metadata"]["seed"].startswith("data/seeds.jsonl:") for row in lines(second.output)
    )


def test_a_recipe_may_name_the_output_before_it_is_made_and_curation_says_how_to_make_it(seeds):
    with served(TeacherServer(teach).app) as url:
        config = plan(url, HARDER).model_copy(
            update={
                "sources": ("data/seeds.jsonl", "data/synthetic.jsonl"),
                "golden_share": 0.3,
            }
        )
        with pytest.raises(NotMadeYetError, match=r"data/synthetic\.jsonl") as missing:
            curate(config, seeds)
        assert "tunesmith curate synthesize" in missing.value.fix
        assert forecast(config, config.synthesize, seeds).seeds == 10

        made = synthesize(config, seeds)

        assert (made.rows, made.is_source) == (6, True)
        assert curate(config, seeds).dataset.train_count > 6
        gone = config.model_copy(update={"sources": ("data/seeds.jsonl", "data/none.jsonl")})
        with pytest.raises(DataError, match=r"data/none\.jsonl"):
            synthesize(gone, seeds)
