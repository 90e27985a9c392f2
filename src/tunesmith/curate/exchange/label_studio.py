"""Label Studio: tasks to import with their labelling page, and the JSON or JSON-MIN that it exports.

Source: https://labelstud.io/guide/tasks and https://labelstud.io/guide/export
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib import resources
from pathlib import Path

from tunesmith.core.workspace import write_text
from tunesmith.curate.exchange.opinion import Entry, Opinion, Shown

TASKS = "tasks.json"
PAGE = "label_config.xml"
SHOWN = "shown_answer"
"""The answer once more, under a name that nothing on the page writes over."""


def write(target: Path, name: str, examples: Iterable[Shown]) -> int:  # tasks bear no name
    """Write the folder: a task an example, and the page they are reviewed on; returns how many."""
    page = (resources.files("tunesmith.curate.exchange") / "label_studio.xml").read_text()
    write_text(target / PAGE, page)
    tasks = [_task(shown) for shown in examples]
    write_text(target / TASKS, json.dumps(tasks, ensure_ascii=False, indent=1) + "\n")
    return len(tasks)


def is_task(value: object) -> bool:
    """Whether an item of a file is one of Label Studio's tasks, whole or in its minimal form."""
    is_whole = isinstance(value, dict) and isinstance(value.get("data"), dict)
    return is_whole or (isinstance(value, dict) and "annotation_id" in value)


def read(value: object) -> Entry:
    """What people said about one task."""
    if not isinstance(value, dict):
        return Entry([], "not a task")
    if "annotation_id" in value:
        words = {name: _text(value.get(name)) for name in ("verdict", "answer", "note")}
        # The minimal form overwrites the answer of the task by the one that was written.
        shown = _text(value.get(SHOWN))
        if not shown and words["verdict"] != "edit":
            words["answer"] = ""
        return Entry([_opinion(value, shown, words, value.get("annotator"), value)])
    data, annotations = value.get("data"), value.get("annotations") or []
    if not isinstance(data, dict) or not isinstance(annotations, list):
        return Entry([], "not a task with data and annotations")
    opinions = []
    for annotation in annotations:
        if isinstance(annotation, dict) and not annotation.get("was_cancelled"):
            words = _words(annotation.get("result"))
            who = annotation.get("completed_by")
            opinions.append(_opinion(data, _text(data.get("answer")), words, who, annotation))
    return Entry(opinions)


def _opinion(
    data: Mapping[str, object],
    shown: str,
    words: Mapping[str, str],
    who: object,
    facts: Mapping[str, object],
) -> Opinion:
    return Opinion(
        _text(data.get("key")),
        shown,
        _person(who),
        words.get("verdict", ""),
        words.get("answer", ""),
        words.get("note", ""),
        _when(facts.get("updated_at") or facts.get("created_at")),
        _seconds(facts.get("lead_time")),
    )


def _words(result: object) -> dict[str, str]:
    """What stands in each part of the page."""
    words: dict[str, str] = {}
    for part in result if isinstance(result, list) else []:
        value = part.get("value") if isinstance(part, dict) else None
        if isinstance(value, dict):
            words[str(part.get("from_name"))] = _text(value.get("choices") or value.get("text"))
    return words


def _text(value: object) -> str:
    """A text, or the last one of a list: of several submissions the last one counts."""
    if isinstance(value, list):
        value = value[-1] if value else ""
    return value if isinstance(value, str) else ""


def _person(who: object) -> str:
    if isinstance(who, dict):
        who = who.get("email") or who.get("username") or who.get("id")
    if isinstance(who, str):
        return who
    return f"label-studio:{who}" if isinstance(who, int) and not isinstance(who, bool) else ""


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < float("inf") else None


def _when(value: object) -> datetime | None:
    try:
        when = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return when if when.tzinfo else None


def _task(shown: Shown) -> dict[str, object]:
    example = shown.example
    turns = [turn.model_dump() for turn in example.prompt]
    facts = {"key": example.key, "source": example.source, "split": shown.split}
    return {
        "data": {**facts, "conversation": turns, "answer": example.answer, SHOWN: example.answer}
    }
