"""Masking of files and of everything a dataset stores: any row in, one row out, nothing raw kept."""

import csv
import json

import pytest
from typer.testing import CliRunner

from tunesmith.cli.main import app
from tunesmith.core.privacy.config import PrivacyConfig
from tunesmith.core.workspace import Workspace
from tunesmith.curate import stage
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.file_masking import WORTH_ALL_CORES, FileMasking
from tunesmith.errors import DataError, PersonalDataError

RULES = PrivacyConfig(model="", countries=())
SECRETS = ("Horvat", "horvat@", "546-7187", "Vukovarska")


def rows_of(path, config=RULES, field="text"):
    return list(FileMasking(config, path, field).rows())


def test_json_lines_lists_csv_and_chats_give_the_same_spans(tmp_path):
    text = "I am Ivana Horvat, call (212) 546-7187."
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": text}) + "\n")
    (tmp_path / "b.json").write_text(json.dumps([{"text": text}], indent=1))
    (tmp_path / "d.json").write_text(json.dumps([{"text": [{"role": "user", "content": text}]}]))
    with (tmp_path / "c.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["id", "text"], ["1", text]])

    plain = [rows_of(tmp_path / name)[0] for name in ("a.jsonl", "b.json", "c.csv")]

    assert [(row.masked, row.spans) for row in plain] == [(plain[0].masked, plain[0].spans)] * 3
    assert [span.type for span in plain[0].spans] == ["PERSON", "PHONE_NUMBER"]
    chat = rows_of(tmp_path / "d.json")[0]
    assert chat.spans == [plain[0].spans]
    assert chat.value == {"text": [{"role": "user", "content": plain[0].masked}]}


def test_bad_rows_are_told_and_stop_nothing(tmp_path):
    path = tmp_path / "a.jsonl"
    lines = ['{"text": "I am Ivana Horvat"}', "{broken", '["Ivana Horvat"]', '"I am Ivana Horvat"']
    path.write_text("\n".join(lines))

    rows = rows_of(path)

    assert [row.line for row in rows] == [1, 2, 3, 4]
    assert [bool(row.error) for row in rows] == [False, True, True, False]
    assert "Horvat" not in "".join(row.as_json() for row in rows)


def test_whatever_a_field_holds_is_masked_and_rows_without_it_are_kept(tmp_path):
    path, out = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    values = [
        {"customer": {"name": "Ivana Horvat", "since": 2019}, "open": True},
        [{"role": "user", "content": "I am Ivana Horvat"}, {"role": "assistant", "content": None}],
        [
            {"role": "user", "name": "Ivana Horvat", "content": "Hello"},
            {"from": "Ivana Horvat", "value": "Hi"},
        ],
        None,
        7,
        "half a letter \ud83d, Ivana Horvat",
    ]
    rows = [{"text": value, "id": number} for number, value in enumerate(values)]
    path.write_text("\n".join(map(json.dumps, [*rows, {"id": 6}])))

    masking = FileMasking(RULES, path, "text")
    list(masking.write(out))
    written = [json.loads(line) for line in out.read_text().splitlines()]

    assert [row["id"] for row in written] == [0, 1, 2, 3, 4, 5, 6]
    assert written[0]["text"]["open"] is True
    assert written[0]["text"]["customer"]["since"] == 2019
    assert written[1]["text"][1] == {"role": "assistant", "content": None}
    assert [row.get("text") for row in written[3:5]] == [None, 7]
    assert written[5]["text"].startswith("half a letter \ud83d, ")
    assert "Horvat" not in out.read_text()
    assert masking.without_field == 1


@pytest.mark.parametrize("name", ["b.jsonl", "b.json", "b.csv", "b.tsv"])
def test_rows_are_written_as_the_name_of_the_file_says(tmp_path, name):
    (tmp_path / "a.csv").write_text(MESSAGES)
    out = tmp_path / name

    rows = list(FileMasking(RULES, tmp_path / "a.csv", "body").write(out))
    again = list(FileMasking(RULES, out, "body").rows())

    assert [row.masked for row in again] == [row.masked for row in rows]
    assert [row.value["ticket_id"] for row in again] == ["1", "1", "2"]
    assert not any(row.error for row in again)


MESSAGES = """ticket_id,role,body,created_at
1,customer,"I am Ivana Horvat, or ""Iva"".",2024-01-01T00:00:00
1,agent,"Hello,
Ivana",2024-01-01T00:01:00
2,customer,,2024-01-01T00:00:00
"""


def test_a_file_that_cannot_be_written_so_is_refused_and_leaves_nothing(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n{"text": "b", "more": 1}\n')

    for name, match in (("b.csv", "a field 'more'"), ("b.xlsx", "not written as .xlsx")):
        with pytest.raises(DataError, match=match):
            list(FileMasking(RULES, tmp_path / "a.jsonl", "text").write(tmp_path / name))
    with pytest.raises(DataError, match="none of 2 rows has a field 'txt'"):
        list(FileMasking(RULES, tmp_path / "a.jsonl", "txt").write(tmp_path / "b.jsonl"))

    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def test_many_rows_come_back_in_order_from_all_cores(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [{"text": f"row {n}", "more": "-" * 400} for n in range(700)]
    path.write_text("\n".join(map(json.dumps, rows)))

    assert path.stat().st_size > WORTH_ALL_CORES
    assert [row.masked for row in rows_of(path)] == [f"row {n}" for n in range(700)]


def test_check_passes_what_was_masked_and_fails_what_was_not(tmp_path):
    path, out = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    text = "I am Ivana Horvat of Vukovarska 17, Split. Mail horvat@posta.example or (212) 546-7187."
    path.write_text(json.dumps({"text": text, "id": 1}) + "\n{broken Horvat\n")

    raw = FileMasking(RULES, path, "text")
    assert list(raw.write(out))
    with pytest.raises(PersonalDataError, match="1 PERSON") as caught:
        raw.need_none()
    again = FileMasking(RULES, out, "text")
    list(again.rows())

    again.need_none()
    assert json.loads(out.read_text())["id"] == 1
    aside = json.loads(out.with_suffix(".rejected.jsonl").read_text())
    assert (aside["line"], aside["masked"]) == (2, None)
    reports = "".join(path.read_text() for path in tmp_path.glob("b.privacy.*"))
    reports += out.with_suffix(".rejected.jsonl").read_text()
    told = reports + str(caught.value) + out.read_text()
    assert [secret for secret in SECRETS if secret in told] == []


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, Anna Schmidt",
        "Ask Emily Parker.",
        "SSN 536-90-4399",
        "I live at 12 Park Road, Springdale, IL 62704",
    ],
)
def test_check_fails_on_what_is_common(tmp_path, text):
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": text}))
    masking = FileMasking(PrivacyConfig(), tmp_path / "a.jsonl", "text")
    list(masking.rows())

    with pytest.raises(PersonalDataError):
        masking.need_none()


def test_check_never_passes_rows_that_it_could_not_read(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "fine"}\n[]\n{broken Horvat\n')
    masking = FileMasking(RULES, path, "text")

    assert len(list(masking.rows())) == 3
    with pytest.raises(DataError, match=r"2 rows .* line 2: a row that is a list"):
        masking.need_none()


def test_the_command_prints_a_line_a_row_and_check_exits_with_its_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").write_text('{"text": "I am Ivana Horvat"}\n{"text": "fine"}\n')
    words = ["curate", "mask", "a.jsonl", "--field", "text", "--json", "--check"]

    result = CliRunner().invoke(app, [*words, "--set", "curate.privacy.model=''"])

    first, second = map(json.loads, result.stdout.splitlines())
    assert first["spans"] == [{"start": 5, "end": 17, "type": "PERSON", "score": 0.85}]
    assert second == {"line": 2, "masked": "fine", "spans": []}
    assert isinstance(result.exception, PersonalDataError)


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "data").mkdir()
    rows = [
        {"prompt": f"I am Ivana Horvat, question {n}?", "completion": f"Answer {n}, Ms Horvat."}
        for n in range(40)
    ]
    broken = '{"prompt": "Ivana Horvat, Vukovarska 17'
    text = "\n".join([*map(json.dumps, rows), json.dumps(rows[3]), broken])
    (tmp_path / "data/a.jsonl").write_text(text)
    (tmp_path / "golden.jsonl").write_text(
        '{"prompt": "Who is Ivana Horvat?", "expected": "Ivana"}\n{"prompt": "Ms Horvat"}\n'
    )
    (tmp_path / "tunesmith.yaml").write_text("name: a\n")
    return Workspace(tmp_path)


def test_a_masked_dataset_stores_no_raw_letter_anywhere(workspace):
    config = CurateConfig(golden="golden.jsonl", privacy=RULES.model_copy(update={"mode": "mask"}))

    made = stage.run(config, workspace)

    stored = {path: path.read_bytes().decode() for path in workspace.made.rglob("*.*")}
    assert [path for path, text in stored.items() if "Horvat" in text or "Vukov" in text] == []
    assert made.dataset.removed == {"duplicate": 1}
    assert made.dataset.train_count + made.dataset.validation_count == 40
    report = made.dataset.privacy_report(workspace)
    assert report is not None
    assert report.found["data/a.jsonl"]["user"]["PERSON"] == 41
    assert stage.run(config, workspace).dataset.id == made.dataset.id


def test_without_masking_the_rows_stay_and_the_report_warns(workspace):
    warned = stage.run(CurateConfig(golden="golden.jsonl"), workspace).dataset
    quiet = CurateConfig(golden="golden.jsonl", privacy=PrivacyConfig(mode="off"))

    report = warned.privacy_report(workspace)
    assert report is not None
    assert (report.mode, report.with_personal_data) == ("warn", 42)
    assert "Horvat" in warned.examples_path(workspace, "train").read_text()
    assert stage.run(quiet, workspace).dataset.id == warned.id
