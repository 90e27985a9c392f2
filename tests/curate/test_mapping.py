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


def test_a_null_is_never_learnt_as_a_word(tmp_path):
    rows = [
        {"q": "What is the price?", "reply": None, "ticket": {"reply": None}},
        {"q": "And now?", "reply": float("nan"), "ticket": {"reply": None}},
    ]
    asked = "{{ q }}"
    for answer, reason in {
        "{{ reply }}": "reply is empty",
        "{{ row['reply'] }}": "reply is empty",
        "{{ row.reply }}": "reply is empty",
        "Dear all: {{ reply | trim }}": "reply is empty",
        "{{ 'Dear all: ' ~ reply }}": "reply is empty",
        "{{ 'Dear all: ' + reply }}": "reply is empty",
        "{{ [q, reply] | join(' ') }}": "reply is empty",
        "{% for line in reply %}{{ line }}{% endfor %}": "reply is empty",
    }.items():
        loaded = mapped(tmp_path, rows, question=asked, answer=answer)
        reasons = [row.reason for row in loaded.rejected]
        assert reasons == [f"mapping.answer: {reason}"] * 2, answer

    loaded = mapped(tmp_path, rows, question=asked, answer="{{ ticket.reply }}")
    assert loaded.rejected[0].reason == "mapping.answer: ticket.reply is empty"
    each = {"field": "turns", "role": "{{ who }}", "content": "{{ what }}"}
    turns = [{"who": "user", "what": "Hi"}, {"who": "assistant", "what": None}]
    loaded = mapped(tmp_path, [{"turns": turns}], each=each)
    assert loaded.rejected[0].reason == "mapping.each.content: what is empty"


def test_a_template_may_say_what_stands_in_for_a_null_and_what_is_no_turn_is_left_out(tmp_path):
    row = {"q": "Price?", "reply": None, "also": None, "lang": None, "customer": None}
    template = (
        "{% if reply is none and not also and reply == none %}none {% endif %}"
        "{{ reply or 'two' }} {{ also | default('three') }} {{ gone | default('four') }}"
    )

    loaded = mapped(
        tmp_path,
        [row],
        system="Answer in {{ lang }}.",
        question="{{ q }}",
        answer=template,
        tags=["{{ lang }}", "price"],
        group="customer {{ customer }}",
        metadata={"from": "{{ lang }}", "by": "crm"},
    )

    assert loaded.rejected == []
    example = loaded.examples[0]
    assert [turn.content for turn in example.messages] == ["Price?", "none two three four"]
    assert (example.tags, example.group) == (("price",), "")
    assert "None" not in example.model_dump_json()


def test_lists_and_objects_become_text_only_where_the_template_says_how(tmp_path):
    row = {
        "q": "What is in it?",
        "parts": ["wheel", "bell <b>"],
        "sizes": {"small": 1, "none": None},
        "lines": [{"text": "a"}, {"text": "b"}],
        "gaps": ["a", None],
    }

    def said(answer: str) -> str:
        loaded = mapped(tmp_path, [row], question="{{ q }}", answer=answer)
        return loaded.rejected[0].reason if loaded.rejected else loaded.examples[0].answer

    listed = "mapping.answer: parts is a list: write it with `| join(', ')`, or as JSON"
    for template in ("{{ parts }}", "{{ row.parts }}", "{{ 'x' ~ parts }}", "{{ parts | upper }}"):
        assert said(template).startswith(listed), template
    assert said("{{ sizes }}").startswith("mapping.answer: sizes is an object: name a field")
    assert said("{{ row }}").startswith("mapping.answer: row is an object")
    assert "a list or an object where text is due" in said("{{ lines | map(attribute='text') }}")
    assert said("{{ q.upper }}") == "mapping.answer: a function where text is due"
    assert said("{{ gaps | join(' ') }}") == "mapping.answer: item 2 of gaps is empty"
    assert said("{{ sizes.large }}") == "mapping.answer: sizes has no field 'large'"

    assert said("{{ parts | join(', ') }}") == "wheel, bell <b>"
    assert said("{{ parts | tojson }}") == '["wheel", "bell <b>"]'
    assert json.loads(said("{{ sizes | tojson(indent=2) }}")) == row["sizes"]
    assert json.loads(said("{{ row | tojson }}")) == row
    assert said("{{ lines | map(attribute='text') | join('+') }} {{ parts[0] }}") == "a+b wheel"
    assert said("{% for line in lines %}{{ line.text }}{% endfor %}{{ parts | length }}") == "ab2"
    assert said("{{ sizes.small }}{% if sizes %}!{% endif %}") == "1!"


def test_rows_that_a_mapping_fits_are_not_put_together_to_threads(tmp_path):
    table = (
        "chat_id,user,message,bot_text\n1,ana,Where is it?,On its way.\n1,ana,When?,On Monday.\n"
    )
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in ("bot.csv", "other.csv"):
        (folder / name).write_text(table)
    mapping = {"files": "data/logs/bot*", "question": "{{ message }}", "answer": "{{ bot_text }}"}
    config = CurateConfig.model_validate({"mapping": [mapping]})

    alone = load(folder / "bot.csv", "data/logs/bot.csv", config)
    inside = load(folder, "data/logs", config)

    assert alone.rejected == []
    for found in (alone, inside):
        said = [tuple(turn.content for turn in one.messages) for one in found.examples[:2]]
        assert said == [("Where is it?", "On its way."), ("When?", "On Monday.")]
    assert [row.file for row in inside.rejected] == ["data/logs/other.csv"]
