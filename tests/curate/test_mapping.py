"""Templates in the recipe turn rows of any shape into conversations, and say what a row lacks."""

import json

import pytest
from pydantic import ValidationError

from curate.reading import load
from tunesmith.curate.config import CurateConfig

ROWS = [
    {"Short text": " Twice ", "intent": "billing", "customer": 7},
    {"Short text": "No label", "customer": 8},
    ["no object"],
]


def mapped(tmp_path, rows, **mapping):
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return load(path, "data/a.jsonl", CurateConfig.model_validate({"mapping": [mapping]}))


def test_fields_become_turns_tags_and_group_and_a_missing_field_is_named(tmp_path):
    loaded = mapped(
        tmp_path,
        ROWS,
        files="data/*",
        system="Classify.",
        question="{{ row['Short text'] }}",
        answer="{{ intent }}",
        tags=["{{ intent }}", "{{ '' }}"],
        group="customer {{ customer }}",
        metadata={"from": "crm"},
    )

    example = loaded.examples[0]
    assert [turn.content for turn in example.messages] == ["Classify.", "Twice", "billing"]
    assert (example.group, example.tags, example.metadata["from"]) == (
        "customer 7",
        ("billing",),
        "crm",
    )
    assert loaded.formats == ["mapping"]
    assert [(row.line, row.reason) for row in loaded.rejected] == [
        (2, "mapping.answer: 'intent' is undefined"),
        (3, "not an object but a list"),
    ]


def test_a_list_of_turns_is_mapped_item_by_item(tmp_path):
    turns = [{"who": "client", "what": "Hi"}, {"who": "staff", "what": "Hello"}]
    each = {
        "field": "call.turns",
        "role": "{{ who }}",
        "content": "{{ lang }}: {{ what }}",
        "roles": {"client": "user", "staff": "assistant"},
    }

    loaded = mapped(tmp_path, [{"call": {"turns": turns}, "lang": "en"}, {"call": 3}], each=each)

    assert [turn.content for turn in loaded.examples[0].messages] == ["en: Hi", "en: Hello"]
    assert loaded.rejected[0].reason == "mapping.each.field: call.turns is nothing, not a list"


def test_a_mapping_of_other_files_leaves_a_source_as_it_is(tmp_path):
    rows = [{"prompt": "a", "completion": "b"}]

    loaded = mapped(tmp_path, rows, files="other/*", question="x", answer="y")

    assert loaded.formats == ["prompt-completion"]


def test_templates_are_checked_with_the_recipe_and_cannot_reach_into_python(tmp_path):
    for bad in (
        {"question": "{{ a", "answer": "b"},
        {"question": "a"},
        {"question": "a", "answer": "b", "each": {"field": "x", "role": "r", "content": "c"}},
    ):
        with pytest.raises(ValidationError):
            CurateConfig.model_validate({"mapping": [bad]})

    loaded = mapped(
        tmp_path, [{"ok": 1}, {"ok": 0}], question="{{ 'x' if ok else row.__class__ }}", answer="b"
    )
    assert "access to attribute '__class__'" in loaded.rejected[0].reason
