"""What companies have becomes conversations: tickets, mail, chats, documents, code, datasets."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import datasets
import pytest

from curate.reading import load
from tunesmith.curate.config import CurateConfig
from tunesmith.errors import DataError


def read(path: Path, text: str | None = None):
    if text is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load(path, path.name)


def said(example) -> list[str]:
    return [f"{turn.role[0]}: {turn.content}" for turn in example.messages]


def test_messages_of_tickets_are_put_together_by_thread_in_the_order_of_their_times(tmp_path):
    text = """ticket_id,author_type,body,created_at
7,customer,It smokes.,2024-01-01T10:00:00
8,customer,Where is it?,2024-01-01T10:05:00
7,agent,A new one comes.,2024-01-01T12:00:00
7,agent,Unplug it.,2024-01-01T11:00:00
8,agent,"On
its way.",2024-01-02T10:00:00
9,customer,Hello?,2024-01-02T10:00:00
7,customer
"""

    loaded = read(tmp_path / "a.csv", text)

    assert [said(example) for example in loaded.examples] == [
        ["u: It smokes.", "a: Unplug it.\n\nA new one comes."],
        ["u: Where is it?", "a: On\nits way."],
    ]
    assert [example.group for example in loaded.examples] == ["thread:7", "thread:8"]
    assert loaded.reasons == [
        (9, "2 cells, the header has 4"),
        (8, "no answer: the last turn is the user's"),
    ]


def test_tickets_with_their_replies_are_understood_flat_and_nested(tmp_path):
    flat = "Ticket ID,Ticket Subject,Ticket Description,Resolution\n3,Twice,Charged.,Refunded.\n"
    private = {"author_id": 3, "body": "angry", "public": False}
    comments = [
        {"author_id": 11, "body": "Money back."},
        private,
        {"author_id": 3, "body": "Sent."},
    ]
    ticket = {"subject": "Refund", "requester_id": 11, "comments": comments}

    authored = "ticket_id,user,body,agent_reply\n3,ann,Charged.,Refunded.\n3,ann,Again.,Sorry.\n"
    third = read(tmp_path / "c.csv", authored)
    assert [said(row) for row in third.examples] == [
        ["u: Charged.", "a: Refunded."],
        ["u: Again.", "a: Sorry."],
    ]

    first = read(tmp_path / "a.csv", flat).examples[0]
    second = read(tmp_path / "b.json", json.dumps({"count": 1, "tickets": [ticket]})).examples[0]

    assert said(first) == ["u: Twice\n\nCharged.", "a: Refunded."]
    assert first.group == "thread:3"
    assert said(second) == ["u: Refund\n\nMoney back.", "a: Sent."]


MBOX = """From a Mon Jan  1 10:00:00 2024
From: Ann <ann@example.com>
Subject: =?utf-8?q?T=C3=BCr?=
Message-ID: <1@x>
Date: Mon, 1 Jan 2024 10:00:00 +0000

It is stuck.
>From the hinge it squeaks.

--\x20
Ann, Example GmbH

From b Mon Jan  1 11:00:00 2024
From: Help <help@example.com>
Message-ID: <2@x>
References: <1@x>
Date: Mon, 1 Jan 2024 11:00:00 +0000

On Mon, Jan 1, 2024 at 10:00 AM Ann <ann@example.com>
wrote:
> It is stuck.
Oil helps.

From: Ann <ann@example.com>
Sent: Monday
To: Help
It is stuck.

From c nowhere

no headers at all
"""
EML = """From: Ben <ben@example.com>
In-Reply-To: <2@x>
Message-ID: <3@x>
Date: Mon, 1 Jan 2024 12:00:00 +0000
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<p>Or <b>grease</b>,<br>f=FCr immer.</p><style>p {}</style>
"""


def test_mails_are_threaded_over_all_files_of_a_folder_without_quotes_and_signatures(tmp_path):
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail/b.mbox").write_text(MBOX)
    (tmp_path / "mail/a.eml").write_text(EML)

    loaded = read(tmp_path / "mail")

    assert [said(example) for example in loaded.examples] == [
        [
            "u: Tür\n\nIt is stuck.\nFrom the hinge it squeaks.",
            "a: Oil helps.\n\nOr grease,\nfür immer.",
        ]
    ]
    assert loaded.examples[0].source == "mail/b.mbox:1"
    assert loaded.examples[0].group.startswith("mail_")
    assert loaded.reasons == [
        (29, "not a mail that can be read: it has neither sender nor id"),
    ]


def slack_message(user: str, text: str, ts: str, thread: str | None = None, **more: str):
    return {
        "user": user,
        "text": text,
        "ts": ts,
        **({"thread_ts": thread} if thread else {}),
        **more,
    }


def test_slack_threads_are_read_from_folder_and_zip_alike(tmp_path):
    folder = tmp_path / "export"
    (folder / "general").mkdir(parents=True)
    (folder / "users.json").write_text(
        '[{"id": "U1", "real_name": "Ann"}, {"id": "U2", "name": "ben"}]'
    )
    (folder / "channels.json").write_text("[]")
    first = [
        slack_message("U1", "<@U2> how do I <https://x.y|deploy>?", "1", "1"),
        slack_message("U2", "joined", "2", subtype="channel_join"),
        slack_message("U1", "nobody answers", "3"),
    ]
    (folder / "general/2024-01-01.json").write_text(json.dumps(first))
    (folder / "general/2024-01-02.json").write_text(
        json.dumps([slack_message("U2", "run &lt;make&gt;", "4", "1")])
    )
    packed = tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(folder.rglob("*.json")):
            archive.write(path, path.relative_to(folder))
    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as archive:
        archive.writestr("__MACOSX/._export", "x")
        for path in sorted(folder.rglob("*.json")):
            archive.write(path, path.relative_to(tmp_path))

    inner = read(tmp_path / "inner.zip")
    assert inner.examples[0].source == "inner.zip/export/general/2024-01-01.json:1"
    for loaded in (read(folder), read(packed), inner):
        assert said(loaded.examples[0]) == ["u: @ben how do I deploy?", "a: run <make>"]
        assert loaded.examples[0].group == "slack:general:1"
        assert loaded.examples[0].tags == ("general",)
        assert loaded.reasons == [
            (2, "nobody wrote it: channel_join"),
            (3, "no answer: the last turn is the user's"),
        ]


MARKDOWN = """---
title: x
---
# Handbook
Welcome.

## How do I reset `it`?
Click **here**.

```
# no heading
```

## FAQ
### Shipping
Two days.

## Imprint
**Q:** Who are you?
**A:** ACME.

Q2. Why? A. Because
A: of this.
"""


def test_questions_in_markdown_are_read_with_the_markdown_below_them(tmp_path):
    loaded = read(tmp_path / "a.md", MARKDOWN)

    assert [said(example) for example in loaded.examples] == [
        ["u: How do I reset it?", "a: Click **here**.\n\n```\n# no heading\n```"],
        ["u: Shipping", "a: Two days."],
        ["u: Who are you?", "a: ACME."],
        ["u: Why? A. Because", "a: of this."],
    ]
    assert loaded.reasons == [(4, "no question: the heading does not end with a question mark")]


HTML = """<html><head><script type="application/ld+json">{"mainEntity": [{"name": "Machine?",
"acceptedAnswer": {"text": "<p>Yes</p>"}}]}</script></head><body><h1>Help</h1><p>intro</p>
<dl><dt>What is X?</dt><dd>A thing &amp; more.</dd></dl>
<h2>Can I pay?</h2><p>Yes,
 <b>you</b> can.</p><ul><li>Visa</li><li>Master</li></ul>
<table><tr><td>A</td> <td>5</td></tr><tr><td>B</td></tr></table><script>no()</script>
<details><summary>Safe?</summary><p>Very.</p></details></body></html>"""


def test_questions_in_html_are_read_as_the_text_a_reader_sees(tmp_path):
    loaded = read(tmp_path / "a.html", HTML)

    assert [said(example) for example in loaded.examples] == [
        ["u: Machine?", "a: Yes"],
        ["u: What is X?", "a: A thing & more."],
        ["u: Safe?", "a: Very."],
        ["u: Can I pay?", "a: Yes, you can.\n\n- Visa\n- Master\n\nA | 5\nB"],
    ]
    assert [reason for _, reason in loaded.reasons] == [
        "no question: the heading does not end with a question mark"
    ]


CODE = '''
class A:
    @property
    def area(self) -> int:
        """Area of a square.

        In metres."""
        # squared
        return self.w ** 2

async def f(a, *, b=2):
    "One line."; return a

def bare(): pass
def only():
    """Nothing else."""
'''


def test_docstrings_ask_for_the_functions_of_a_code_repository(tmp_path):
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "repo/.git/hook.py").write_text(CODE)
    (tmp_path / "repo/a.py").write_text(CODE)
    (tmp_path / "repo/broken.py").write_text("def f(:")
    (tmp_path / "repo/logo.png").write_bytes(b"x")

    loaded = read(tmp_path / "repo")

    first, second = loaded.examples
    assert first.prompt[0].content == (
        "Write the Python method `def area(self) -> int` of the class `A`."
        "\n\nArea of a square.\n\nIn metres."
    )
    assert (
        first.answer == "@property\ndef area(self) -> int:\n    # squared\n    return self.w ** 2"
    )
    assert (first.source, first.group) == ("repo/a.py:4", "code:repo/a.py")
    assert "async def f(a, *, b=2)" in second.prompt[0].content
    assert [reason for _, reason in loaded.reasons] == [
        "bare has no docstring",
        "only has no body",
        "not Python: invalid syntax (<unknown>, line 1)",
        "1 files of kinds that are not read",
    ]
    assert len(loaded.examples) + len(loaded.rejected) == 6


SQL = """-- head of the file

-- How many; last week?
SELECT count(*) FROM t -- all
WHERE x > 'a; -- b';
SELECT 1;
/* Names of
 * customers */ SELECT $$;$$, name FROM c
"""


def test_comments_ask_for_the_sql_below_them(tmp_path):
    loaded = read(tmp_path / "a.sql", SQL)

    assert [said(example) for example in loaded.examples] == [
        ["u: How many; last week?", "a: SELECT count(*) FROM t -- all\nWHERE x > 'a; -- b';"],
        ["u: Names of\ncustomers", "a: SELECT $$;$$, name FROM c;"],
    ]
    assert loaded.reasons == [(6, "no comment or question above the statement")]
    assert loaded.examples[0].source == "a.sql:4"


def test_datasets_saved_on_disk_are_read_with_the_names_of_their_labels(tmp_path):
    features = datasets.Features(
        {"prompt": datasets.Value("string"), "answer": datasets.ClassLabel(names=["no", "yes"])}
    )
    rows = {"prompt": ["a", "b", ""], "answer": [0, 1, 1]}
    saved = datasets.Dataset.from_dict(rows, features=features)
    datasets.DatasetDict({"train": saved}).save_to_disk(tmp_path / "set")

    loaded = read(tmp_path / "set")

    assert [said(example) for example in loaded.examples] == [["u: a", "a: no"], ["u: b", "a: yes"]]
    assert loaded.reasons == [(3, "turn 1 (user) is empty")]
    assert loaded.rejected[0].file == "set/train/data-00000-of-00001.arrow"


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path):
    text = 'prompt,completion\na,b\n"c,d\ne,f\n\ng,h\n'

    loaded = read(tmp_path / "a.csv", text)

    assert [said(example) for example in loaded.examples] == [
        ["u: a", "a: b"],
        ["u: e", "a: f"],
        ["u: g", "a: h"],
    ]
    assert loaded.reasons == [(3, "a quote is never closed")]


def test_a_dataset_of_the_hub_is_read_from_its_cache_at_the_revision_it_names(workspace):
    revision = "0123456789abcdef0123456789abcdef01234567"
    cache = workspace.root / "cache"
    snapshot = cache / "datasets--owner--name/snapshots" / revision
    (snapshot / "data").mkdir(parents=True)
    (snapshot / "data/train.jsonl").write_text('{"prompt": "a", "completion": "b"}')
    (snapshot / "data/test.jsonl").write_text('{"prompt": "c", "completion": "d"}')
    source = f"hf://owner/name@{revision}/data/train*"
    command = ["curate", "preview", "--json", "--set", f"curate.sources=['{source}']"]
    code = "from tunesmith.cli.main import main; main()"

    shown = subprocess.run(
        [sys.executable, "-c", code, *command],
        cwd=workspace.root,
        env={**os.environ, "HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    found = json.loads(shown)["converted"]
    assert [row["messages"][0]["content"] for row in found] == ["a"]
    assert found[0]["source"].endswith("data/train.jsonl:1")


def test_a_source_on_the_hub_names_its_revision(workspace):
    from tunesmith.curate.loading import source_paths

    for reference in ("hf://owner/name", "hf://name@main"):
        with pytest.raises(DataError, match="is not of the form hf://owner/name@revision"):
            source_paths(CurateConfig(sources=(reference,)), workspace)
    with pytest.raises(DataError, match="the hub does not give hf://owner/none@abc"):
        source_paths(CurateConfig(sources=("hf://owner/none@abc",)), workspace)


def test_archives_that_are_none_or_hold_no_export_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x.txt", "x")
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04 and then nothing")

    for name, words in (("a.zip", "neither Slack's"), ("b.zip", "no zip archive")):
        with pytest.raises(DataError, match=words):
            read(tmp_path / name)
