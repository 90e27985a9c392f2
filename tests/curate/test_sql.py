"""SQL scripts and the logs of databases: each statement with its own question, and nothing of its neighbours."""

import json

import pytest

from curate.reading import load, read

NO_QUESTION = "no comment or question above the statement"


def test_a_comment_behind_a_semicolon_belongs_to_the_statement_before_it(tmp_path):
    script = """-- Every order
SELECT * FROM orders; -- slow
SELECT name FROM orders; -- Names only
SELECT 2;
SELECT 3; /* Three */ SELECT 4;
"""

    loaded = read(tmp_path / "a.sql", script)

    assert loaded.pairs == [
        ("Every order", "SELECT * FROM orders;"),
        ("Names only", "SELECT name FROM orders;"),
        ("Three", "SELECT 3;"),
    ]
    assert loaded.reasons == [(4, NO_QUESTION), (5, NO_QUESTION)]


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

    assert loaded.pairs == [("First", f"{statement};"), ("it's next", "SELECT 3;")]


def test_number_signs_begin_comments_where_a_line_begins(tmp_path):
    loaded = read(tmp_path / "a.sql", "# All\nSELECT 1;\n  # Two\nSELECT 2 -- why; not\n;")

    assert loaded.pairs == [("All", "SELECT 1;"), ("Two", "SELECT 2 -- why; not\n;")]


def test_what_is_never_closed_is_set_aside_and_costs_one_statement(tmp_path):
    script = "-- A\nSELECT 'abc;\n-- B\nSELECT 'x';\n-- C\nSELECT $$ FROM t;\n-- D\nSELECT 1;\n/* E"

    loaded = read(tmp_path / "a.sql", script)

    assert loaded.pairs == [("B", "SELECT 'x';"), ("D", "SELECT 1;")]
    assert loaded.reasons == [
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

    assert loaded.pairs == []
    assert loaded.reasons == [
        (2, "a semicolon between BEGIN and END cuts it: put the body between $$ and $$"),
        (2, NO_QUESTION),
        (4, NO_QUESTION),
    ]


DELIMITED = """-- One
SELECT 1;
-- Log it
DELIMITER MARK
CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW BEGIN
  INSERT INTO b VALUES ('x MARK y;'); -- MARK
END MARK

-- Two
CREATE PROCEDURE p() BEGIN SELECT 2; END;
MARK
DELIMITER ;
-- Three
SELECT 3;
-- Four
COPY t FROM 'f'
  DELIMITER ','
  CSV;
"""


@pytest.mark.parametrize("mark", ["//", "$$", ";;", "|", "@@"])
def test_the_delimiter_that_a_mysql_script_sets_ends_its_statements(tmp_path, mark):
    loaded = read(tmp_path / "a.sql", DELIMITED.replace("MARK", mark))

    assert loaded.rejected == []
    assert loaded.pairs == [
        ("One", "SELECT 1;"),
        (
            "Log it",
            "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW BEGIN\n"
            "  INSERT INTO b VALUES ('x MARK y;'); -- MARK\nEND;".replace("MARK", mark),
        ),
        ("Two", "CREATE PROCEDURE p() BEGIN SELECT 2; END;"),
        ("Three", "SELECT 3;"),
        ("Four", "COPY t FROM 'f'\n  DELIMITER ','\n  CSV;"),
    ]


def test_a_delimiter_set_in_the_middle_of_a_statement_spoils_it(tmp_path):
    loaded = read(tmp_path / "a.sql", "-- A\nSELECT 1\nDELIMITER //\n-- B\nSELECT 2 //\n")

    assert loaded.pairs == []
    assert loaded.reasons == [(2, "a DELIMITER line in the middle of it")]


POSTGRESQL = """\
2024-05-01 10:00:00.123 UTC [12] app@db LOG:  starting PostgreSQL 16
2024-05-01 10:00:00.123 UTC [12] app@db LOG:  statement: -- Active users
\tSELECT count(*)
\t\tFROM users WHERE note <> ';'
2024-05-01 10:00:01.123 UTC [12] app@db LOG:  duration: 0.123 ms
2024-05-01 10:00:02.123 UTC [13] app@db LOG:  duration: 12.5 ms  statement: /* Orders */ SELECT 1;
2024-05-01 10:00:02.500 UTC [13] app@db LOG:  duration: 0.1 ms  parse <unnamed>: /* by id */ SELECT $1
2024-05-01 10:00:02.600 UTC [13] app@db LOG:  execute <unnamed>: /* by id */ SELECT $1
2024-05-01 10:00:02.600 UTC [13] app@db DETAIL:  parameters: $1 = '42'
2024-05-01 10:00:03.000 UTC [12] app@db LOG:  statement: /* Missing */ SELECT *
\tFROM x
2024-05-01 10:00:03.100 UTC [13] app@db LOG:  statement: SELECT 5
2024-05-01 10:00:03.123 UTC [12] app@db ERROR:  relation "x" does not exist at character 15
2024-05-01 10:00:03.123 UTC [12] app@db HINT:  look again
2024-05-01 10:00:03.123 UTC [12] app@db STATEMENT:  /* Missing */ SELECT *
\tFROM x
2024-05-01 10:00:04.000 UTC [14] app@db ERROR:  syntax error
2024-05-01 10:00:04.000 UTC [14] app@db STATEMENT:  SELEC 1
2024-05-01 10:00:05.000 UTC [14] app@db LOG:  temporary file: size 5
2024-05-01 10:00:05.000 UTC [14] app@db STATEMENT:  /* Orders */ SELECT 1;
"""


@pytest.mark.parametrize("name", ["a.log", "a.sql", "a.txt", "postgresql.log.1", "folder/a.log"])
def test_statements_of_a_postgresql_log_are_read_record_by_record(tmp_path, name):
    (tmp_path / "folder").mkdir()
    path = tmp_path / name
    path.write_text(POSTGRESQL)

    loaded = load(path if path.parent == tmp_path else path.parent, "log")

    assert loaded.pairs == [
        ("Active users", "SELECT count(*)\n\tFROM users WHERE note <> ';';"),
        ("Orders", "SELECT 1;"),
        ("by id", "SELECT $1;"),
    ]
    assert [example.source.split(":")[-1] for example in loaded.examples] == ["3", "6", "8"]
    assert loaded.reasons == [
        (10, 'the statement failed: relation "x" does not exist at character 15'),
        (12, NO_QUESTION),
        (18, "the statement failed: syntax error"),
    ]


def record(columns: int, severity: str, message: str, query: str = "") -> str:
    cells = ["2024-05-01 10:00:00.123 UTC", "app", "db", "12", "a:1", "6", "1", "SELECT"]
    cells += ["2024-05-01 09:00:00 UTC", "3/2", "0", severity, "00000", message, *[""] * 5, query]
    cells += [""] * (columns - len(cells))
    return ",".join(f'"{cell}"' if n in (1, 2, 13, 19) else cell for n, cell in enumerate(cells))


@pytest.mark.parametrize("columns", [23, 24, 26])
def test_csvlogs_of_postgresql_are_read_record_by_record(tmp_path, columns):
    log = [
        record(columns, "LOG", "statement: -- Active users\nSELECT 1, 'a,b'"),
        record(columns, "LOG", "duration: 1.5 ms  statement: /* Orders */ SELECT 2"),
        record(columns, "LOG", "statement: /* Missing */ SELECT x"),
        record(columns, "ERROR", "no x", "/* Missing */ SELECT x"),
        "a,b",
        record(columns, "LOG", "checkpoint starting: time"),
        record(columns, "LOG", "execute <unnamed>: SELECT 3"),
    ]

    loaded = read(tmp_path / "a.csv", "\n".join(log))

    assert loaded.pairs == [("Active users", "SELECT 1, 'a,b';"), ("Orders", "SELECT 2;")]
    assert loaded.reasons == [
        (4, "the statement failed: no x"),
        (6, "2 cells, a record of PostgreSQL's csvlog has 23, 24 or 26"),
        (8, NO_QUESTION),
    ]


def test_jsonlogs_of_postgresql_are_read_record_by_record(tmp_path):
    said = [
        ("LOG", "statement: /* One */ SELECT 1\nFROM t"),
        ("LOG", "statement: /* Two */ SELECT 2"),
        ("ERROR", "no"),
    ]
    lines = [
        {"timestamp": "2024-05-01 10:00:00.123 UTC", "error_severity": kind, "message": message}
        for kind, message in said
    ]
    lines[2]["statement"] = "/* Two */ SELECT 2"
    text = "\n".join(json.dumps(line, separators=(",", ":")) for line in lines)

    loaded = read(tmp_path / "a.json", f"{text}\n{{broken")

    assert loaded.pairs == [("One", "SELECT 1\nFROM t;")]
    assert [line for line, _ in loaded.reasons] == [2, 4]
    assert loaded.rejected[0].reason == "the statement failed: no"


def test_a_log_may_have_no_dates_or_begin_in_the_middle_of_a_record(tmp_path):
    log = "\tFROM t\nLOG:  statement: /* One */ SELECT 1\nERROR:  x\nLOG:  statement: SELECT 2\n"

    loaded = read(tmp_path / "a.log", log)

    assert loaded.pairs == [("One", "SELECT 1;")]
    assert loaded.reasons == [
        (1, "not part of a record: the log begins in the middle of one"),
        (4, NO_QUESTION),
    ]


MYSQL = """\
/usr/sbin/mysqld, Version: 8.0.36 (MySQL Community Server - GPL). started with:
Tcp port: 3306  Unix socket: /var/run/mysqld/mysqld.sock
Time                 Id Command    Argument
2024-05-01T10:00:00.000000Z\t   12 Connect\troot@localhost on db using Socket
2024-05-01T10:00:00.000000Z\t   12 Query\t/* Active users */ SELECT count(*)
FROM users
2024-05-01T10:00:01.000000Z\t   12 Init DB\tshop
2024-05-01T10:00:01.000000Z\t   12 Prepare\t/* By id */ SELECT ?
2024-05-01T10:00:01.000000Z\t   12 Execute\t/* By id */ SELECT 42
2024-05-01T10:00:01.000000Z\t   12 Query\tSELECT 'ERROR:  x'
2024-05-01T10:00:01.000000Z\t   12 Quit\t
"""


def test_statements_of_mysqls_general_log_are_read_record_by_record(tmp_path):
    loaded = read(tmp_path / "general.log", MYSQL)

    assert loaded.pairs == [
        ("Active users", "SELECT count(*)\nFROM users;"),
        ("By id", "SELECT 42;"),
    ]
    assert loaded.reasons == [(10, NO_QUESTION)]


def test_older_and_slow_logs_of_mysql_are_read(tmp_path):
    older = "240501 10:00:00\t    4 Query\t/* One */ SELECT 1\n\t\t    4 Query\tSELECT 2\n"
    slow = """# Time: 2024-05-01T10:00:00.000000Z
# User@Host: root[root] @ localhost []  Id: 12
# Query_time: 3.000  Lock_time: 0.0 Rows_sent: 1  Rows_examined: 1
# Bytes_sent: 5
use shop;
SET timestamp=1700000000;
/* active; users */ SELECT count(*)
FROM users;
# User@Host: root[root] @ localhost []  Id: 12
# Query_time: 3.000  Lock_time: 0.0 Rows_sent: 1  Rows_examined: 1
SET timestamp=1700000001;
SELECT 2;
# User@Host: root[root] @ localhost []  Id: 12
# administrator command: Quit;
"""

    loaded_older = read(tmp_path / "older.log", older)
    loaded_slow = read(tmp_path / "slow.log", slow)

    assert loaded_older.pairs == [("One", "SELECT 1;")]
    assert loaded_older.reasons == [(2, NO_QUESTION)]
    assert loaded_slow.pairs == [("active; users", "SELECT count(*)\nFROM users;")]
    assert loaded_slow.reasons == [(12, NO_QUESTION)]
    assert loaded_slow.examples[0].source == "slow.log:7"


def test_a_log_without_statements_and_a_log_of_something_else_are_told_apart(tmp_path):
    quiet = "2024-05-01 10:00:00 UTC [1] LOG:  Anweisung: SELECT 1\n"

    (aside,) = read(tmp_path / "a.log", quiet).rejected
    rows = read(tmp_path / "b.log", '{"prompt": "2024-05-01 10:00:00 LOG:  x", "answer": "b"}')

    assert aside.reason.startswith("a log without statements")
    assert rows.pairs == [("2024-05-01 10:00:00 LOG:  x", "b")]
