"""What a dataset covers: numbers by hand, gaps that are gaps, and a card that shows them."""

import itertools
import json
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tunesmith.artifacts.dataset import Dataset
from tunesmith.cli.main import app
from tunesmith.core.workspace import Workspace
from tunesmith.curate import stage
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.coverage.card import make_card
from tunesmith.curate.coverage.gaps import nearness, word_vectors
from tunesmith.curate.coverage.selection import facility_location, needed_for
from tunesmith.curate.coverage.themes import find_themes
from tunesmith.curate.coverage.vectors import place
from tunesmith.curate.difference import difference

WEATHER = [f"will it {what} in {where} {when}" for what, where, when in itertools.product(
    ("rain", "snow", "hail"), ("Oslo", "Rome", "Lima"), ("today", "tomorrow")
)]  # fmt: skip
MUSIC = [f"play a {kind} song by {who} on the radio" for kind, who in itertools.product(
    ("jazz", "folk", "punk"), ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn")
)]  # fmt: skip


@pytest.fixture
def case(workspace) -> Workspace:
    rows = [{"prompt": text, "completion": f"done: {text}"} for text in [*WEATHER, *MUSIC]]
    golden = [
        {"prompt": "will it rain in Rome on Sunday", "expected": "x"},
        {"prompt": "refund my <b>train ticket</b> please", "expected": "y"},
    ]
    for name, lines in (("rows.jsonl", rows), ("golden.jsonl", golden)):
        (workspace.root / name).write_text("\n".join(map(json.dumps, lines)))
    (workspace.root / "tunesmith.yaml").write_text(
        "name: a\ncurate: {sources: [rows.jsonl], golden: golden.jsonl, validation_share: 0}\n"
    )
    return workspace


def curated(workspace: Workspace, **settings: object) -> Dataset:
    config = CurateConfig.model_validate(
        {"sources": ["rows.jsonl"], "golden": "golden.jsonl", "validation_share": 0, **settings}
    )
    return stage.run(config, workspace).dataset


def test_facility_location_chooses_what_plain_greedy_search_chooses():
    points = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    likeness = np.maximum(points @ points.T, 0)
    best, order, values = np.zeros(40), [], []
    for _ in range(6):
        gains = [np.maximum(likeness[:, j] - best, 0).sum() for j in range(40)]
        order.append(int(np.argmax(gains)))
        best = np.maximum(best, likeness[:, order[-1]])
        values.append(best.mean())

    selection = facility_location(points, 6)

    assert selection.order == order
    assert selection.coverage == pytest.approx(values, abs=1e-5)
    assert needed_for(selection, 1.0) == 6
    assert needed_for(selection, values[1] / values[-1]) == 2


def test_the_card_finds_themes_and_the_golden_prompt_that_nothing_taught(case):
    cards = CliRunner()
    made = cards.invoke(app, ["curate", "-C", str(case.root), "--json"])
    assert made.exit_code == 0, made.output

    shown = json.loads(cards.invoke(app, ["curate", "card", "-C", str(case.root), "--json"]).stdout)

    farthest = shown["gaps"][0]
    assert farthest["prompt"] == "refund my <b>train ticket</b> please"
    assert farthest["similarity"] < 0.1 < shown["gap_threshold"]
    assert sum(theme["train"] for theme in shown["themes"]) == 36
    is_weather = [set(theme["examples"]) <= set(WEATHER) for theme in shown["themes"]]
    assert set(is_weather) == {True, False}
    page = Path(shown["page"]).read_text()
    assert "&lt;b&gt;train ticket" in page
    assert "<b>train ticket" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert (
        "| rows.jsonl | prompt-completion | 36 | 36 | 0 | 0 |"
        in Path(shown["markdown"]).read_text()
    )


def test_a_golden_prompt_that_nothing_taught_stays_a_gap_where_prompts_are_few_and_scattered(case):
    said = CliRunner().invoke(
        app, ["curate", "--set", "curate.select=2", "-C", str(case.root), "--json"]
    )
    assert said.exit_code == 0, said.output

    said = CliRunner().invoke(app, ["curate", "card", "-C", str(case.root), "--json"])

    shown = json.loads(said.stdout)
    assert shown["surveyed"] == 2
    assert shown["gap_threshold"] == 0.15
    assert [gap["prompt"] for gap in shown["gaps"]] == ["refund my <b>train ticket</b> please"]
    assert len(shown["farthest"]) == 2


def test_what_resembles_nothing_belongs_to_no_theme_and_names_are_words_that_most_members_carry():
    odd = ["كيف حالك", "パスワードを忘れました", "איך מבטלים", "SELECT 1", "ok", "def f(): pass"]
    texts = [*WEATHER, *MUSIC, *odd]

    found = find_themes(place(texts))

    assert found.names[-1] == "other"
    other = len(found.names) - 1
    assert {texts[text] for text in np.flatnonzero(found.of == other)} == set(odd)
    for number, name in enumerate(found.names[:-1]):
        members = [texts[text] for text in np.flatnonzero(found.of == number)]
        for term in name.split(", "):
            assert sum(term in text.casefold() for text in members) >= len(members) / 2


def test_the_card_tells_which_tags_rows_carry_and_how_often_conversations_ask(case):
    def row(number: int, tags: list[str], asks: int = 1) -> dict[str, object]:
        turns = [
            {"role": role, "content": f"{role} {number} says {turn}"}
            for turn in range(asks)
            for role in ("user", "assistant")
        ]
        return {"messages": turns, "tags": tags}

    rows = [row(1, ["sql", "<b>"]), row(2, ["sql"]), row(3, [], asks=3), row(4, [], asks=20)]
    (case.root / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    settings = CurateConfig.model_validate(
        {"sources": ["rows.jsonl"], "golden": "golden.jsonl", "validation_share": 0}
    )
    made = stage.run(settings, case)

    card = make_card(made.dataset, made.golden_set, case)

    assert card.seen.tags == [("sql", 2, 0), ("<b>", 1, 0), ("no tag", 2, 2)]
    assert card.seen.questions == [
        ("1 question", 2, 2),
        ("3 questions", 1, 0),
        ("8 questions and more", 1, 0),
    ]
    page, markdown = card.page.read_text(), card.markdown.read_text()
    assert "| sql | 2 | 0 |" in markdown
    assert "| 3 questions | 1 | 0 |" in markdown
    assert "&lt;b&gt;" in page
    assert "<td><b>" not in page


def luminance(colour: np.ndarray) -> float:
    """Relative luminance of an sRGB colour from 0 to 1, as WCAG 2.2 defines it."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_points_of_the_map_stand_out_from_it_as_wcag_asks_of_graphics(scheme):
    page = (files("tunesmith.curate.coverage") / "card.html.j2").read_text()
    found = re.findall(r"--(theme-\d+|other|panel): (#\w{6});", page)
    colours = dict(found[14 * scheme : 14 * (scheme + 1)])
    [opacity] = map(float, re.findall(r"\.dot { fill-opacity: ([.\d]+)", page))
    panel, *points = (
        np.frombuffer(bytes.fromhex(colours[name][1:]), np.uint8) / 255
        for name in ("panel", "other", *(f"theme-{number}" for number in range(12)))
    )

    for point in points:
        seen = opacity * point + (1 - opacity) * panel
        dark, light = sorted((luminance(seen), luminance(panel)))
        assert (light + 0.05) / (dark + 0.05) >= 3


def test_removing_training_rows_never_reduces_the_number_of_far_golden_prompts():
    golden = ["will it rain in Rome on Sunday", "play folk by Ada", "refund my ticket", "天気は"]
    vectors = word_vectors([*WEATHER, *MUSIC, *golden])
    train, judged = vectors[:36], vectors[36:]
    order = np.random.default_rng(0).permutation(36)

    far = [len(nearness(judged, train[order[:kept]]).gaps) for kept in range(36, 0, -1)]

    assert far == sorted(far)
    assert (far[0], far[-1]) == (2, 3)


def test_a_diverse_selection_takes_from_every_theme_and_names_who_stands_for_the_rest(case):
    dataset = curated(case, select=4)

    asked = [row.prompt[-1].content for row in dataset.examples(case, "train")]
    assert len(asked) == 4
    assert {text in WEATHER for text in asked} == {True, False}
    left_out = list(dataset.removed_rows(case, "not_selected"))
    assert len(left_out) == 32
    chosen = {row.key for row in dataset.examples(case, "train")}
    assert {row.witness_key for row in left_out} <= chosen


def test_the_difference_of_two_versions_counts_every_example_once(case):
    before = curated(case)
    rows = [json.loads(line) for line in (case.root / "rows.jsonl").read_text().splitlines()]
    rows[0]["completion"] = "another answer"
    rows[1]["prompt"] = "something new"
    (case.root / "rows.jsonl").write_text("\n".join(map(json.dumps, rows[:-1])))
    after = curated(case)

    found = difference(before, after, case)

    assert found.same == 33
    assert [row.prompt[-1].content for row in found.added] == ["something new"]
    assert [row.prompt[-1].content for row in found.removed] == [WEATHER[1], MUSIC[-1]]
    [anew] = found.answered_anew
    assert (anew.before.answer, anew.after.answer) == (f"done: {WEATHER[0]}", "another answer")
    assert found.moved == []


def test_the_rows_that_changed_sides_are_listed_with_both(case):
    before, after = curated(case), curated(case, validation_share=0.3, leakage=None)
    moved = [row.prompt[-1].content for row in after.rows(case, "validation")]

    shown = CliRunner().invoke(
        app, ["curate", "diff", before.id, after.id, "-C", str(case.root)], env={"COLUMNS": "400"}
    )

    assert shown.exit_code == 0, shown.output
    listed = [line for line in shown.output.splitlines() if line.startswith("~ ")]
    assert len(listed) == min(5, len(moved))
    assert {line.removeprefix("~ train to validation: ").split("  →")[0] for line in listed} <= {
        *moved
    }
