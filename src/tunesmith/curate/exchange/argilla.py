"""Argilla 2: a folder that `Dataset.from_disk` opens, and the records that `Dataset.to_disk` or `to_json` writes.

Source: https://docs.argilla.io/latest/how_to_guides/import_export/
"""

import json
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from tunesmith.core.workspace import write_text
from tunesmith.curate.exchange.opinion import Entry, Opinion, Shown

RECORDS = "records.json"


def write(target: Path, name: str, examples: Iterable[Shown]) -> int:
    """Write the folder: settings of the review, and a record an example; returns how many."""
    settings = (resources.files("tunesmith.curate.exchange") / "argilla_settings.json").read_text()
    write_text(target / ".argilla/settings.json", settings)
    write_text(target / ".argilla/dataset.json", json.dumps({"name": name}) + "\n")
    records = [_record(shown) for shown in examples]
    write_text(target / RECORDS, json.dumps(records, ensure_ascii=False, indent=1) + "\n")
    return len(records)


def is_record(value: object) -> bool:
    """Whether an item of a file is one of Argilla's records."""
    return isinstance(value, dict) and isinstance(value.get("fields"), dict)


def read(value: object) -> Entry:
    """What people said about one record: the answers of each user together."""
    if not isinstance(value, dict) or not isinstance(fields := value.get("fields"), dict):
        return Entry([], "not a record with fields")
    said: dict[str, dict[str, str]] = {}
    responses = value.get("responses") or {}
    if not isinstance(responses, dict):
        return Entry([], "its responses are no object")
    for question, answers in responses.items():
        for answer in answers if isinstance(answers, list) else []:
            if isinstance(answer, dict) and isinstance(answer.get("value"), str):
                said.setdefault(str(answer.get("user_id")), {})[question] = answer["value"]
    shown = fields.get("answer")
    return Entry(
        [
            Opinion(
                str(value.get("id")),
                shown if isinstance(shown, str) else "",
                f"argilla:{user}",
                words.get("verdict", ""),
                words.get("edited_answer", ""),
                words.get("note", ""),
            )
            for user, words in said.items()
        ]
    )


def _record(shown: Shown) -> dict[str, object]:
    example = shown.example
    turns = [turn.model_dump() for turn in example.prompt]
    suggestion = {"value": example.answer, "score": None, "agent": "tunesmith"}
    return {
        "id": example.key,
        "fields": {"conversation": turns, "answer": example.answer},
        "metadata": {"source": example.source, "split": shown.split},
        "suggestions": {"edited_answer": suggestion},
        "responses": {},
        "vectors": {},
    }
