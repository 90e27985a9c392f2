"""Tables with faults: what is whole is read, what is broken is set aside with its line, and nothing is mixed up."""

import gzip
from pathlib import Path

import pytest

from curate.reading import Read, load
from tunesmith.curate.config import CurateConfig
from tunesmith.errors import DataError


def read(path: Path, content: str | bytes, **settings: object) -> Read:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load(path, path.name, CurateConfig.model_validate(settings))


def test_a_quote_left_open_in_the_last_column_costs_its_own_line_alone(tmp_path):
    text = 'question,answer\nq1,a1\nq2,"oops\nq3,a3\nq4,a4\n'

    loaded = read(tmp_path / "a.csv", text)

    assert loaded.pairs == [("q1", "a1"), ("q3", "a3"), ("q4", "a4")]
    assert loaded.reasons == [(3, "a quote is never closed")]
    assert loaded.rejected[0].row == 'q2,"oops'

    cut = read(tmp_path / "b.csv", 'question,answer\nq1,a1\nq2,"the file is cut he')
    assert (cut.pairs, cut.reasons) == ([("q1", "a1")], [(3, "a quote is never closed")])


def test_a_quote_left_open_before_a_quoted_cell_does_not_join_two_rows(tmp_path):
    for third in ('q3,"a3"', '"q3","a3"'):
        loaded = read(tmp_path / "a.csv", f'question,answer\nq1,a1\nq2,"oops\n{third}\nq4,a4\n')

        assert loaded.pairs == [("q1", "a1"), ("q3", "a3"), ("q4", "a4")]
        assert loaded.reasons == [(3, "a quote is never closed")]


def test_a_quote_that_is_not_doubled_costs_its_record_and_no_line_of_it_becomes_a_row(tmp_path):
    text = 'question,answer\nq1,a1\nq2,"one\ntwo, 2\nso "called" it\nthree, 3"\nq3,"a ""b"" c"\n'

    loaded = read(tmp_path / "a.csv", text)

    assert loaded.pairs == [("q1", "a1"), ("q3", 'a "b" c')]
    assert loaded.reasons == [(3, "not CSV: a quote inside a quoted cell is not doubled")]
    assert loaded.rejected[0].row.startswith('q2,"one\ntwo, 2\n')

    short = read(tmp_path / "b.csv", 'question,answer\n"a "b" c",x\nq2,a2\n"5" wide",x\nq3,a3\n')
    assert short.pairs == [("q2", "a2"), ("q3", "a3")]
    assert [line for line, _ in short.reasons] == [2, 4]


REPEATED = """question,answer,labels,answer,,
How?,Press it.,a,,,
Why?,So.,b,So.,,
Who?,Me.,c,You.,x,y
"""


def test_columns_of_one_name_are_learnt_from_only_where_they_agree(tmp_path):
    loaded = read(tmp_path / "a.csv", REPEATED)

    assert loaded.pairs == [("How?", "Press it."), ("Why?", "So.")]
    assert loaded.reasons == [
        (
            4,
            "columns 2 and 4 are all called 'answer' and say different things: "
            "rename them, or name the one to learn from in curate.mapping",
        )
    ]
    assert "You." in loaded.rejected[0].row


def test_a_mapping_chooses_among_columns_of_one_name_and_need_not_use_them(tmp_path):
    chosen = {"question": "{{ question }}", "answer": "{{ row['answer (column 4)'] }}"}
    other = {"question": "{{ question }}", "answer": "{{ labels }}"}
    unclear = {"question": "{{ question }}", "answer": "{{ answer }}"}

    assert read(tmp_path / "a.csv", REPEATED, mapping=[chosen]).pairs[-1] == ("Who?", "You.")
    assert len(read(tmp_path / "a.csv", REPEATED, mapping=[other]).pairs) == 3
    (aside,) = read(tmp_path / "a.csv", REPEATED, mapping=[unclear]).rejected
    assert (aside.line, aside.reason) == (4, "mapping.answer: 'answer' is undefined")
    assert '"answer (column 2)": "Me."' in aside.row


def test_a_cell_longer_than_csv_likes_is_one_row_and_its_lines_are_none(tmp_path):
    lines = "\n".join(f"line, {number}" for number in range(20_000))

    loaded = read(tmp_path / "a.csv", f'question,answer\nq1,a1\nq2,"{lines}"\nq3,a3\n')
    allowed = read(tmp_path / "a.csv", f'question,answer\nq2,"{lines}"\n', max_characters=10**6)

    assert loaded.pairs == [("q1", "a1"), ("q3", "a3")]
    assert loaded.reasons == [
        (3, f"{len(lines) + 2} characters, the limit is 100000 (curate.max_characters)")
    ]
    assert allowed.pairs == [("q2", lines)]


def row(number: int) -> str:
    return f'{{"question":"q{number}","answer":"a{number}"}}'


def pair(number: int) -> tuple[str, str]:
    return (f"q{number}", f"a{number}")


def test_a_broken_element_of_an_array_costs_itself_alone_and_its_fault_is_named(tmp_path):
    lines = f'[\n{row(1)},\n{{"question":"q2","answer":"a2}},\n{row(3)},\n{row(4)}\n]\n'
    pretty = '[\n  {\n    "question": "q1",\n    "answer": "a1"\n  },\n  {\n    "question": "q2",\n'
    pretty += (
        '    "answer": [{"x": 1},\n{"y": 2}] 3\n  },\n  {"question": "q3", "answer": "a3"}\n]\n'
    )

    first = read(tmp_path / "a.json", lines)
    second = read(tmp_path / "b.json", pretty)
    last = read(tmp_path / "d.json", '[\n  {\n    "question": "q",\n    "answer": "a",\n  }\n]\n')
    on_one_line = read(tmp_path / "c.json", f'[{row(1)},{{"question":}},{row(3)}]')

    assert first.pairs == [pair(1), pair(3), pair(4)]
    assert first.reasons == [(3, "broken JSON: Invalid control character at column 32")]
    assert [one.source for one in first.examples] == ["a.json:2", "a.json:4", "a.json:5"]
    assert second.pairs == [pair(1), pair(3)]
    assert second.reasons == [(6, "broken JSON: Expecting ',' delimiter at line 9, column 11")]
    turns = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant"'
    chat = read(tmp_path / "e.json", f'[{turns}}}], x}}, {turns}, "content": "b"}}]}}, {row(3)}]')
    assert [line for line, _ in last.reasons] == [2]
    assert chat.pairs == [("a", "b"), pair(3)]
    assert on_one_line.pairs == [pair(1), pair(3)]
    assert [line for line, _ in on_one_line.reasons] == [2]


def test_commas_too_many_or_too_few_cost_no_row_and_a_cut_array_is_told(tmp_path):
    for text in (f"[{row(1)},\n{row(2)},\n]", f"[\n{row(1)}\n{row(2)}]", f"[{row(1)}]\n[{row(2)}]"):
        loaded = read(tmp_path / "a.json", text)
        assert (loaded.pairs, loaded.reasons) == ([pair(1), pair(2)], [])

    cut = read(tmp_path / "a.json", f"[{row(1)},\n{row(2)},\n")
    half = read(tmp_path / "a.json", f'[{row(1)},\n{row(2)},\n{{"question": "q3", "ans')

    assert cut.pairs == half.pairs == [pair(1), pair(2)]
    assert "the array is never closed" in cut.reasons[-1][1]
    assert half.reasons[0][1].startswith("broken JSON: Unterminated string")


def test_bytes_that_are_no_text_are_set_aside_in_arrays_and_objects_as_in_lines(tmp_path):
    good = '{"question":"Grüße?","answer":"gut"}'.encode()
    bad = '{"question":"Müller?","answer":"x"}'.encode("cp1252")
    reason = "not UTF-8: byte 0xfc at position 15"

    array = read(tmp_path / "a.json", b"[" + b",\n".join([good, good, bad]) + b"]")
    wrapped = read(tmp_path / "b.json", b'{"data":[\n' + b",\n".join([good, bad, good]) + b"]}")

    assert (len(array.examples), array.reasons) == (2, [(3, reason)])
    assert (len(wrapped.examples), wrapped.reasons) == (2, [(3, reason)])


def test_rows_are_found_in_whatever_object_holds_them_and_no_list_vanishes(tmp_path):
    texts = {
        "nested.json": f'{{"status": "ok", "result": {{"items": [\n{row(1)},\n{row(2)}]}}}}',
        "faqs.json": f'{{"faqs": [\n{row(1)},\n{row(2)}]}}',
        "two.json": f'{{"data": [\n{row(1)}],\n"items": [{row(2)}]}}',
        "pages.jsonl": f'{{"tickets": [{row(1)}], "next": 1}}\n{{"tickets": [{row(2)}], "next": 2}}',
        "pages.json": f'{{"tickets": [{row(1)}], "next": 1}}\n{{"tickets": [{row(2)}], "next": 2}}',
    }
    for name, text in texts.items():
        loaded = read(tmp_path / name, text)
        assert (loaded.pairs, loaded.reasons) == ([pair(1), pair(2)], []), name

    assert [one.source for one in read(tmp_path / "a.json", texts["faqs.json"]).examples] == [
        "a.json:2",
        "a.json:3",
    ]
    beside = read(
        tmp_path / "a.json", f'{{"tickets": [{row(1)}],\n"users": [{{"id": 1}}, {{"id": 2}}]}}'
    )
    assert beside.pairs == [pair(1)]
    assert beside.reasons == [(2, "users holds 2 objects that are no rows")]
    itself = read(tmp_path / "a.json", '{"question": "q1", "answer": "a1", "data": []}')
    assert itself.pairs == [pair(1)]


def test_a_broken_object_that_holds_rows_loses_the_broken_one_alone(tmp_path):
    loaded = read(
        tmp_path / "a.json", f'{{"count": 3, "tickets": [\n{row(1)},\n{{"x": }},\n{row(3)}\n]}}'
    )

    assert loaded.pairs == [pair(1), pair(3)]
    assert loaded.reasons == [(3, "broken JSON: Expecting value at column 7")]


PAIRS = [pair(1), pair(2)]


def test_tables_are_recognised_inside_whatever_they_are_called_and_packed(tmp_path):
    text = "question;answer\nq1;a1\nq2;a2\n"
    for name in ("a.txt", "noname", "a.csv", "a.tab"):
        assert read(tmp_path / name, text).pairs == PAIRS, name
    for name in ("a.csv.gz", "a.txt.gz", "b.gz"):
        assert read(tmp_path / name, gzip.compress(text.encode())).pairs == PAIRS, name
    lines = gzip.compress(f"{row(1)}\n{row(2)}\n".encode())
    assert read(tmp_path / "a.jsonl.gz", lines).pairs == PAIRS
    (tmp_path / "folder").mkdir()
    assert read(tmp_path / "folder/a.jsonl.gz", lines).pairs == PAIRS
    assert load(tmp_path / "folder", "folder").pairs == PAIRS

    prose = read(tmp_path / "b.txt", "Hello, dear all\nthis is no table\n")
    assert [reason.partition(":")[0] for _, reason in prose.reasons] == ["broken JSON"] * 2


def test_a_header_may_hold_delimiters_in_quotes_and_excel_may_name_its_own(tmp_path):
    quoted = '"Question, as asked, verbatim";answer;question\nx;a1;q1\n'
    named = "sep=;\nquestion;answer\nq1;a1\nq2;a2\n"

    assert read(tmp_path / "a.csv", quoted).pairs == [pair(1)]
    loaded = read(tmp_path / "b.csv", named)
    assert loaded.pairs == PAIRS
    assert loaded.examples[0].source == "b.csv:3"


def test_what_cannot_be_read_says_what_to_do(tmp_path):
    whole = gzip.compress(f"{row(1)}\n".encode() * 99)
    files = {
        "a.xlsx": (b"PK\x03\x04", "save its sheet as CSV"),
        "a.xls": (b"\xd0\xcf\x11\xe0\xa1", "save its sheet as CSV"),
        "a.html.gz": (gzip.compress(b"<html>"), "gunzip a.html.gz"),
        "a.jsonl.gz": (whole[: len(whole) // 2], "copy it again"),
    }
    for name, (content, fix) in files.items():
        with pytest.raises(DataError) as refused:
            read(tmp_path / name, content)
        assert fix in refused.value.fix, name
