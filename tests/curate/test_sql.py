"""SQL scripts and the logs of databases: each statement with its own question, and nothing of its neighbours."""

from pathlib import Path

import pytest

from curate.reading import load


def read(path: Path, text: str):
    path.write_text(text, encoding="utf-8")
    return load(path, path.name)


def pairs(loaded) -> list[tuple[str, str]]:
    return [(example.prompt[0].content, example.answer) for example in loaded.examples]


def reasons(loaded) -> list[tuple[int, str]]:
    return [(row.line, row.reason) for row in loaded.rejected]


NO_QUESTION = "no comment or question above the statement"


def test_a_comment_behind_a_semicolon_belongs_to_the_statement_before_it(tmp_path):
    script = """-- Every order
SELECT * FROM orders; -- slow
SELECT name FROM orders; -- Names only
SELECT 2;
SELECT 3; /* Three */ SELECT 4;
"""

    loaded = read(tmp_path / "a.sql", script)

    assert pairs(loaded) == [
        ("Every order", "SELECT * FROM orders;"),
        ("Names only", "SELECT name FROM orders;"),
        ("Three", "SELECT 3;"),
    ]
    assert reasons(loaded) == [(4, NO_QUESTION), (5, NO_QUESTION)]


@pytest.mark.parametrize(
    "statement",
    [
        r"SELECT 'it\'s; here' FROM t",
        r"SELECT 'say \'yes; no\', please', 'x'",
        r"SELECT ('\'', 'a; b')",
        r"SELECT 'C:\', 'a; b'",
        r"SELECT * FROM t WHERE path LIKE 'C:\' AND name = 'x; y'",
        "SELECT 'it''s; here', \"a; b\", `c; d`",
        "DO $$ BEGIN a; b; END $$",
        "DO $body$ x := $$a; b$$; $body$ LANGUAGE plpgsql",
        "CREATE FUNCTION f() RETURNS int AS $$ BEGIN a; END; $$ LANGUAGE plpgsql",
        "SELECT * FROM t WHERE a = $1 AND b = $2",
        "SELECT 'two\nlines;\nand more' FROM t",
        "SELECT data\n  #>> '{a,b}' FROM t",
        "SELECT /*+ INDEX(t i) */ 1",
        "/*!40101 SET NAMES utf8 */",
    ],
)
def test_semicolons_in_quoted_texts_end_no_statement_in_any_dialect(tmp_path, statement):
    loaded = read(tmp_path / "a.sql", f"-- First\n{statement};\n\n-- it's next\nSELECT 3;\n")

    assert pairs(loaded) == [("First", f"{statement};"), ("it's next", "SELECT 3;")]


def test_number_signs_begin_comments_where_a_line_begins(tmp_path):
    loaded = read(tmp_path / "a.sql", "# All\nSELECT 1;\n  # Two\nSELECT 2 -- why; not\n;")

    assert pairs(loaded) == [("All", "SELECT 1;"), ("Two", "SELECT 2 -- why; not\n;")]


def test_what_is_never_closed_is_set_aside_and_costs_one_statement(tmp_path):
    script = "-- A\nSELECT 'abc;\n-- B\nSELECT 'x';\n-- C\nSELECT $$ FROM t;\n-- D\nSELECT 1;\n/* E"

    loaded = read(tmp_path / "a.sql", script)

    assert pairs(loaded) == [("B", "SELECT 'x';"), ("D", "SELECT 1;")]
    assert reasons(loaded) == [
        (2, "the ' in line 2 is never closed"),
        (6, "the $$ in line 6 is never closed"),
        (9, "the /* in line 9 is never closed"),
    ]


def test_routines_are_not_cut_in_the_middle_and_comments_that_name_the_sender_ask_nothing(tmp_path):
    script = """-- Log it
CREATE TRIGGER t AFTER INSERT ON a BEGIN INSERT INTO b VALUES (1); END;
/* controller:users,action:index */
SELECT 1;
"""

    loaded = read(tmp_path / "a.sql", script)

    assert pairs(loaded) == []
    assert reasons(loaded) == [
        (2, "a semicolon between BEGIN and END cuts it: put the body between $$ and $$"),
        (2, NO_QUESTION),
        (4, NO_QUESTION),
    ]
