"""Every grader against hand-checked cases; what cannot be graded is never failed."""

import json
from pathlib import Path

import pytest

from tunesmith.errors import RecipeError, UnknownNameError
from tunesmith.graders.grade import UngradableError
from tunesmith.graders.known import SECONDARY, get_grader, known_graders

FIXTURE = """
create table sale (shop text, amount integer);
insert into sale values ('north', 10), ('south', 20), ('south', 5);
"""
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
ENDLESS = "with recursive t(x) as (select 1 union all select x + 1 from t) select count(*) from t"


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "shop.sql").write_text(FIXTURE)
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "mine.py").write_text(
        "def half(answer, expected): return 0.5, 'half'\n"
        "def same(answer, expected): return answer == expected\n"
        "def breaks(answer, expected): return 1 / 0\n"
        "def wild(answer, expected): return 7\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("name", "options", "answer", "expected", "score"),
    [
        ("exact", {}, " Paris\n", "Paris", 1),
        ("exact", {}, "paris", "Paris", 0),
        ("normalised", {}, "  PARIS,\n France. ", "Paris, France", 1),
        ("normalised", {}, "ﬁne", "fine", 1),
        ("normalised", {}, "Paris France", "Paris, France", 0),
        ("contains", {}, "It is PARIS.", "Paris", 1),
        ("contains", {"ignore_case": False}, "It is PARIS.", "Paris", 0),
        ("regex", {"pattern": r"\d{3}"}, "123", "", 1),
        ("regex", {"pattern": r"\d{3}"}, "1234", "", 0),
        ("regex", {}, "cat\ndog", "cat.dog", 1),
        ("json_schema", {"schema": SCHEMA}, '```json\n{"n": 1}\n```', "", 1),
        ("json_schema", {"file": "schema.json"}, '{"n": "1"}', "", 0),
        ("json_schema", {"schema": SCHEMA}, "no json", "", 0),
        ("json_fields", {}, '{"b": [1, 2.0], "a": {"c": "x"}}', '{"a": {"c": "x"}, "b": [1, 2]}', 1),
        ("json_fields", {}, '{"a": 1, "b": 2}', '{"a": 1}', 0),
        ("json_fields", {}, '{"a": true}', '{"a": 1}', 0),
        ("json_fields", {"fields": ["a"]}, '{"a": 1, "b": 2}', '{"a": 1}', 1),
        ("json_fields", {"is_partial_credit": True}, '{"a": 1, "b": 9}', '{"a": 1, "b": 2}', 0.5),
        ("json_fields", {"ignore_case": True}, '{"a": "X"}', '{"a": "x"}', 1),
        ("json_fields", {}, '{"a": NaN}', '{"a": 1}', 0),
        ("numeric", {}, "so 3 + 4 = 1,234.50 in all", "1234.5", 1),
        ("numeric", {}, "-2e3", "-2000", 1),
        ("numeric", {}, "12 %", "0.12", 1),
        ("numeric", {}, "2.", "2", 1),
        ("numeric", {"tolerance": 0.01}, "99.5", "100", 1),
        ("numeric", {}, "99.5", "100", 0),
        ("numeric", {}, "none", "100", 0),
        ("sql_result", {"fixture": "shop.sql"}, "select sum(amount) s, shop x from sale group by 2",
         "select sum(amount), shop from sale group by shop order by 2", 1),
        ("sql_result", {"fixture": "shop.sql"}, "```sql\nselect amount from sale order by 1;\n```",
         "select amount from sale", 1),
        ("sql_result", {"fixture": "shop.sql"}, "select amount from sale",
         "select amount from sale order by amount desc", 0),
        ("sql_result", {"fixture": "shop.sql"}, "select nothing", "select 1", 0),
        ("python_function", {"function": "mine.py:same"}, "a", "a", 1),
        ("python_function", {"function": "mine.py:half"}, "a", "b", 0.5),
        ("bleu", {}, "the cat sat on the mat", "the cat sat on the mat", 1),
        ("chrf", {}, "xyz", "abc", 0),
        # Longest common subsequence "the cat": precision 2/2, recall 2/4, F1 = 2/3 (Lin 2004).
        ("rouge_l", {}, "the cat", "the big black cat", 2 / 3),
    ],
)  # fmt: skip
def test_graders_score_as_computed_by_hand(root, name, options, answer, expected, score):
    grade = get_grader(name, options, root=root)(answer, expected)

    assert grade.score == pytest.approx(score)
    assert grade.reason


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("regex", {}, "("),
        ("json_fields", {}, "no json"),
        ("numeric", {}, "no number"),
        ("sql_result", {"fixture": "shop.sql"}, "select broken from"),
        ("python_function", {"function": "mine.py:breaks"}, "x"),
        ("python_function", {"function": "mine.py:wild"}, "x"),
    ],
)
def test_a_case_that_cannot_be_graded_is_not_a_failed_one(root, name, options, expected):
    with pytest.raises(UngradableError):
        get_grader(name, options, root=root)("{}", expected)


@pytest.mark.parametrize(
    "query",
    [
        "delete from sale",
        "attach 'other.db' as o",
        "pragma table_info(sale)",
        ENDLESS,
        "select 1; select 2",
    ],
)
def test_sql_answers_can_only_read_and_only_for_a_while(root, query):
    grade = get_grader("sql_result", {"fixture": "shop.sql"}, root=root)

    assert grade(query, "select count(*) from sale").score == 0
    assert grade("select 3", "select count(*) from sale").score == 1


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("regex", {"pattern": "("}, "unterminated"),
        ("json_schema", {"schema": {"type": "nonsense"}}, "no JSON Schema"),
        ("json_schema", {}, "either `schema` or `file`"),
        ("contains", {"ignorecase": True}, "unexpected keyword"),
        ("sql_result", {"fixture": "../shop.sql"}, "outside of the workspace"),
        ("python_function", {"function": "/etc/passwd:x"}, "outside of the workspace"),
        ("python_function", {"function": "mine.py:sam"}, "did you mean 'same'?"),
    ],
)
def test_bad_options_fail_when_the_grader_is_made(root, name, options, words):
    with pytest.raises(RecipeError) as caught:
        get_grader(name, options, root=root)

    assert words in str(caught.value)


def test_an_unknown_grader_is_refused_with_the_nearest_name(root):
    with pytest.raises(UnknownNameError) as caught:
        get_grader("contain", root=root)

    assert caught.value.fix == "did you mean 'contains'?"
    assert set(known_graders()) > SECONDARY
