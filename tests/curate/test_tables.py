"""Tables with faults: what is whole is read, what is broken is set aside with its line, and nothing is mixed up."""

from pathlib import Path

from curate.reading import Read, load
from tunesmith.curate.config import CurateConfig


def read(path: Path, content: str | bytes, **settings: object) -> Read:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load(path, path.name, CurateConfig.model_validate(settings))


def pairs(loaded: Read) -> list[tuple[str, str]]:
    return [(row.prompt[-1].content, row.answer) for row in loaded.examples]


def reasons(loaded: Read) -> list[tuple[int, str]]:
    return [(row.line, row.reason) for row in loaded.rejected]


def test_a_quote_left_open_in_the_last_column_costs_its_own_line_alone(tmp_path):
    text = 'question,answer\nq1,a1\nq2,"oops\nq3,a3\nq4,a4\n'

    loaded = read(tmp_path / "a.csv", text)

    assert pairs(loaded) == [("q1", "a1"), ("q3", "a3"), ("q4", "a4")]
    assert reasons(loaded) == [(3, "a quote is never closed")]
    assert loaded.rejected[0].row == 'q2,"oops'

    cut = read(tmp_path / "b.csv", 'question,answer\nq1,a1\nq2,"the file is cut he')
    assert (pairs(cut), reasons(cut)) == ([("q1", "a1")], [(3, "a quote is never closed")])


def test_a_quote_left_open_before_a_quoted_cell_does_not_join_two_rows(tmp_path):
    for third in ('q3,"a3"', '"q3","a3"'):
        loaded = read(tmp_path / "a.csv", f'question,answer\nq1,a1\nq2,"oops\n{third}\nq4,a4\n')

        assert pairs(loaded) == [("q1", "a1"), ("q3", "a3"), ("q4", "a4")]
        assert reasons(loaded) == [(3, "a quote is never closed")]


def test_a_quote_that_is_not_doubled_costs_its_record_and_no_line_of_it_becomes_a_row(tmp_path):
    text = 'question,answer\nq1,a1\nq2,"one\ntwo, 2\nso "called" it\nthree, 3"\nq3,"a ""b"" c"\n'

    loaded = read(tmp_path / "a.csv", text)

    assert pairs(loaded) == [("q1", "a1"), ("q3", 'a "b" c')]
    assert reasons(loaded) == [(3, "not CSV: a quote inside a quoted cell is not doubled")]
    assert loaded.rejected[0].row.startswith('q2,"one\ntwo, 2\n')

    short = read(tmp_path / "b.csv", 'question,answer\n"a "b" c",x\nq2,a2\n"5" wide",x\nq3,a3\n')
    assert pairs(short) == [("q2", "a2"), ("q3", "a3")]
    assert [line for line, _ in reasons(short)] == [2, 4]


def test_a_cell_longer_than_csv_likes_is_one_row_and_its_lines_are_none(tmp_path):
    lines = "\n".join(f"line, {number}" for number in range(20_000))

    loaded = read(tmp_path / "a.csv", f'question,answer\nq1,a1\nq2,"{lines}"\nq3,a3\n')
    allowed = read(tmp_path / "a.csv", f'question,answer\nq2,"{lines}"\n', max_characters=10**6)

    assert pairs(loaded) == [("q1", "a1"), ("q3", "a3")]
    assert reasons(loaded) == [
        (3, f"{len(lines) + 2} characters, the limit is 100000 (curate.max_characters)")
    ]
    assert pairs(allowed) == [("q2", lines)]
