"""Conversations with language models: what was asked and answered is read, what was cut off or not said is told."""

import json
import zipfile
from pathlib import Path

from curate.reading import Read, load


def read(path: Path, text: str | None = None) -> Read:
    if text is not None:
        path.write_text(text)
    return load(path, path.name)


def said(example) -> list[str]:
    return [f"{turn.role[0]}: {turn.content}" for turn in example.messages]


def test_logged_requests_are_read_with_their_responses(tmp_path):
    part = [{"type": "text", "text": "2+2"}]
    messages = [{"role": "developer", "content": "calm"}, {"role": "user", "content": part}]
    answer = {"choices": [{"message": {"role": "assistant", "content": "4"}}]}
    image = [{"role": "user", "content": [{"type": "image_url"}]}]
    rows = [
        {"request": {"messages": messages}, "response": answer},
        {"body": {"messages": messages}, "response": {"body": answer}},
        {"messages": messages, **answer},
        {"messages": image, **answer},
        {"messages": messages, "choices": []},
    ]

    loaded = read(tmp_path / "log.jsonl", "\n".join(map(json.dumps, rows)))

    assert [said(example) for example in loaded.examples] == [["s: calm", "u: 2+2", "a: 4"]] * 3
    assert loaded.reasons == [
        (4, "turn 1 holds more than text"),
        (5, "no answer: the response has no choices"),
    ]


def test_answers_of_models_that_were_cut_off_or_call_tools_are_set_aside(tmp_path):
    asked = [{"role": "user", "content": [{"type": "text", "text": "Weather?"}]}]
    call = {"tool_calls": [{"id": "1", "type": "function"}]}
    silent = {"role": "assistant", "content": None, **call}
    tool = {"role": "tool", "tool_call_id": "1", "content": "sun"}
    said_sunny = {"role": "assistant", "content": "Sunny.", "tool_calls": []}
    cut = {"finish_reason": "length", "message": {"role": "assistant", "content": "It is"}}
    whole = {"finish_reason": "stop", "message": said_sunny}
    rows = [
        {"messages": [*asked, said_sunny]},
        {"messages": [*asked, silent, tool, said_sunny]},
        {"messages": [*asked, tool, said_sunny]},
        {"messages": [*asked, {**said_sunny, **call}]},
        {"request": {"messages": asked}, "response": {"choices": [cut]}},
        {"request": {"messages": asked}, "response": {"choices": [whole]}},
        {"request": {"messages": [*asked, "lost"]}, "response": {"choices": [whole]}},
    ]

    loaded = read(tmp_path / "log.jsonl", "\n".join(map(json.dumps, rows)))

    assert [said(example) for example in loaded.examples] == [["u: Weather?", "a: Sunny."]] * 2
    no_tools = "turn 2 is a tool's or calls one: tool calls are not learnt"
    assert loaded.reasons == [
        (2, no_tools),
        (3, no_tools),
        (4, no_tools),
        (5, "the answer was cut off (finish_reason: length)"),
        (7, "turn 2 is text, not an object"),
    ]


def node(role: str, text: str, parent: str):
    content = {"content_type": "text", "parts": [text]}
    return {"message": {"author": {"role": role}, "content": content}, "parent": parent}


def test_the_branch_of_a_chatgpt_conversation_that_was_shown_last_is_read(tmp_path):
    nodes = {
        "root": {"message": None, "parent": None},
        "a": node("user", "Hi?", "root"),
        "b": node("assistant", "new", "a"),
        "c": node("tool", "searching", "b"),
        "d": node("assistant", "more", "c"),
        "old": node("assistant", "old", "a"),
    }
    circle = {"x": node("user", "a", "y"), "y": node("user", "b", "x")}
    rows = [{"mapping": nodes, "current_node": "d"}, {"mapping": circle, "current_node": "x"}]
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("conversations.json", json.dumps(rows))

    loaded = read(tmp_path / "export.zip")

    assert said(loaded.examples[0]) == ["u: Hi?", "a: new\n\nmore"]
    assert loaded.examples[0].source == "export.zip/conversations.json:1"
    assert loaded.reasons == [(2, "its branches run in a circle")]
