"""Whatever bytes a file holds: no traceback, and accepted + rejected = read."""

import csv
import io
import json
import re

import pyarrow
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from pyarrow import parquet

from tunesmith.artifacts.artifact import read_lines
from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.loading import Understood, understand
from tunesmith.curate.reading import read_rows
from tunesmith.curate.row import Rejected
from tunesmith.curate.stage import run
from tunesmith.errors import DataError, NoGoodRowsError

KEYS = some.sampled_from(
    [
        "messages",
        "conversations",
        "instruction",
        "input",
        "output",
        "prompt",
        "completion",
        "role",
        "content",
        "from",
        "value",
        "system",
        "chosen",
        "rejected",
        "label",
        "other",
    ]
)
JSON = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats()
    | some.text(max_size=20)
    | some.sampled_from(["user", "assistant", "system", "human", "gpt", "\ud800", "\0"]),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(KEYS, inner, max_size=5),
    max_leaves=15,
)
TURN = some.dictionaries(KEYS, some.sampled_from(["user", "assistant", "system", "hi", "", " "]))
ROW = some.dictionaries(KEYS, JSON | some.text() | some.lists(TURN, max_size=5), max_size=5)
LINE = (JSON | ROW).map(lambda value: json.dumps(value).encode())
DAMAGE = some.binary(max_size=30) | LINE.map(lambda line: line[: len(line) // 2])
FILE = some.lists(LINE | DAMAGE, max_size=8).map(b"\n".join)
MARK = some.sampled_from(
    [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"[", b"prompt,completion\n"]
)
PLENTY = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


REFUSED = "no zip archive|not a Parquet|neither Slack|is damaged|packed with gzip|a workbook"


def accounted_for(path) -> None:
    """Fails if curation raises anything but our own error, or loses a row."""
    try:
        rows = list(read_rows(path, path.name))
    except DataError as refusal:
        assert re.search(REFUSED, str(refusal))  # noqa: PT017
        return
    workspace = Workspace(path.parent)
    config = CurateConfig(sources=(path.name,), golden_share=0.4, workers=1)
    try:
        dataset, golden_set = run(config, workspace)
    except NoGoodRowsError as refusal:
        assert f"none of the {len(rows)} row(s)" in str(refusal)  # noqa: PT017
        return
    except DataError as refusal:
        assert "too few" in str(refusal) or "left to train on" in str(refusal)  # noqa: PT017
        return
    source = dataset.sources[0]
    assert source.accepted + source.rejected + source.removed == source.read == len(rows)
    assert source.accepted == dataset.train_count + dataset.validation_count + golden_set.count
    rejected = read_lines(dataset.rejected_path(workspace))
    removed = list(dataset.removed_rows(workspace))
    assert (len(rejected), len(removed)) == (source.rejected, source.removed)
    assert all(row["reason"] and row["line"] > 0 for row in rejected)
    assert all(row.rule and row.reason and row.key == row.example.key for row in removed)
    for split, count in (("train", dataset.train_count), ("validation", dataset.validation_count)):
        assert len(dataset.examples(workspace, split)) == count


@PLENTY
@given(mark=MARK, content=FILE, suffix=some.sampled_from(["jsonl", "json", "csv", "txt"]))
def test_malformed_text_files_lose_no_row(tmp_path, mark, content, suffix):
    path = tmp_path / f"file.{suffix}"
    path.write_bytes(mark + content)

    accounted_for(path)


@PLENTY
@given(cells=some.lists(some.lists(some.text(max_size=12), max_size=4), max_size=8))
def test_malformed_csv_loses_no_row(tmp_path, cells):
    text = io.StringIO()
    csv.writer(text).writerows([["prompt", "completion"], *cells])
    path = tmp_path / "file.csv"
    path.write_bytes(text.getvalue().encode("utf-8", errors="surrogatepass"))

    accounted_for(path)


WORDS = some.sampled_from(
    b"""From a
From: b <c@d>
Message-ID: <1@x>
References: <1@x>
Date: x
Subject: =?utf-8?q?=ff?=
Content-Type: text/html; charset=none
Content-Type: multipart/mixed; boundary=a
Auto-Submitted: auto-replied
In-Reply-To: <2@x>
--a
<blockquote id=appendonsend class=gmail_attr>
> quoted
--\x20

# A?
Q: a
A: b
---
```
<dl><dt>a</dt><dd>b
<h1>c?</h1>
</dl>
def f(a):
    "d"
    return a
class C:
-- q
SELECT 1;
/* c
*/
'
$$
LOG:  statement: /* q */ SELECT 1
ERROR:  x
STATEMENT:  SELECT 1
# Time: 2024-01-01T10:00:00Z
<details><summary>a?</summary>
<main><div>
<button>a?</button>
</main>
title: FAQ
ticket_id,author,body
1,x,y
2,z,
ticket_id,author,body,date,public
1,x,y,1/2/2024 1:00,no
1,z,y,99999999999999999999,
,z,y,2/1/24,yes""".split(b"\n")
)
PROSE = some.lists(WORDS | some.binary(max_size=12), max_size=12).map(b"\n".join)


@PLENTY
@given(
    content=PROSE,
    suffix=some.sampled_from(
        ["mbox", "eml", "md", "html", "py", "sql", "log", "csv", "zip", "json"]
    ),
)
def test_malformed_mails_documents_and_code_lose_no_row(tmp_path, content, suffix):
    folder = tmp_path / "folder"
    folder.mkdir(exist_ok=True)
    path = folder / f"file.{suffix}"
    path.write_bytes(content)

    accounted_for(path)
    accounted_for(folder)
    path.unlink()


TREE = some.dictionaries(
    some.sampled_from(
        [
            "mapping",
            "current_node",
            "a",
            "b",
            "parent",
            "message",
            "author",
            "content",
            "text",
            "ts",
            "thread_ts",
            "subtype",
        ]
    ),
    JSON | some.sampled_from(["a", "b"]),
)
COMMENT = some.dictionaries(
    some.sampled_from(
        ["body", "author", "author_id", "created_at", "public", "type", "visibility"]
    ),
    JSON | some.sampled_from(["2024-01-01", "1/2/2024", "note", "7"]),
)
LOG = some.dictionaries(
    some.sampled_from(
        [
            "request",
            "response",
            "choices",
            "messages",
            "body",
            "comments",
            "author",
            "description",
            "requester",
        ]
    ),
    JSON | some.lists(TURN | COMMENT, max_size=3),
)


@PLENTY
@given(rows=some.lists(TREE | LOG | TREE.map(lambda tree: {"mapping": tree}), max_size=5))
def test_malformed_exports_lose_no_row(tmp_path, rows):
    lines, slack = tmp_path / "a.jsonl", tmp_path / "slack"
    lines.write_text("\n".join(map(json.dumps, rows)))
    (slack / "general").mkdir(parents=True, exist_ok=True)
    for name in ("users.json", "channels.json", "general/1.json"):
        (slack / name).write_text(json.dumps(rows))

    accounted_for(lines)
    accounted_for(slack)


@PLENTY
@given(rows=some.lists(ROW, min_size=1, max_size=6))
def test_json_arrays_and_lines_of_the_same_rows_agree(tmp_path, rows):
    array, lines = tmp_path / "a.json", tmp_path / "b.jsonl"
    array.write_text(json.dumps(rows))
    lines.write_text("\n".join(map(json.dumps, rows)))

    accounted_for(array)
    accounted_for(lines)
    assert len(list(read_rows(array, ""))) == len(list(read_rows(lines, ""))) == len(rows)


@PLENTY
@given(
    rows=some.lists(
        some.fixed_dictionaries(
            {
                "prompt": some.none() | some.text(some.characters(codec="utf-8")),
                "completion": some.none() | some.text(some.characters(codec="utf-8")),
            }
        ),
        min_size=1,
        max_size=5,
    ),
    cut=some.integers(0, 40),
)
def test_parquet_loses_no_row_and_a_damaged_file_is_refused_as_a_whole(tmp_path, rows, cut):
    path = tmp_path / "file.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)

    accounted_for(path)

    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - cut])
    refusal = ""
    try:
        list(read_rows(path, path.name))
    except DataError as error:
        refusal = str(error)
    assert ("not a Parquet file" in refusal) == (cut > 0)


def test_other_encodings_are_read_and_a_bad_byte_costs_one_row(tmp_path):
    path = tmp_path / "file.jsonl"
    row = json.dumps(
        {"prompt": "größe der tür in münchen", "completion": "schön"}, ensure_ascii=False
    )
    for encoding in ("utf-8-sig", "utf-16", "cp1252"):
        path.write_text("\n".join([row] * 5), encoding=encoding)
        assert understood(path)[0].example.answer == "schön", encoding

    path.write_bytes(
        b"\n".join([row.encode(), b'{"prompt": "\xff", "completion": "x"}', row.encode()])
    )
    first, second, third = understood(path)
    assert first.example.answer == third.example.answer == "schön"
    assert second.reason == "not UTF-8: byte 0xff at position 13"


def understood(path) -> list[Understood | Rejected]:
    rows = read_rows(path, path.name)
    return [
        row if isinstance(row, Rejected) else understand(row, path.name, CurateConfig())
        for row in rows
    ]
