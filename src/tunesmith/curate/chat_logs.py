"""Conversations with language models: ChatGPT's export, and requests logged with their responses."""

from collections.abc import Mapping

from tunesmith.curate.turns import BadRowError, Fields, kind_of

CUT_OFF = ("length", "content_filter")
"""Why an answer ended before it was said."""


def is_chatgpt(row: Fields) -> bool:
    """Whether a row is a conversation of ChatGPT's `conversations.json`."""
    return isinstance(row.get("mapping"), dict)


def chatgpt_turns(row: Fields) -> list[dict[str, object]]:
    """The turns on the branch that was shown last; hidden and tool messages are left out.

    Raises:
        BadRowError: If the branches do not lead to one root.
    """
    nodes = row["mapping"]
    if not isinstance(nodes, dict):
        raise BadRowError(f"mapping is {kind_of(nodes)}, not an object")
    name = row.get("current_node")
    if not isinstance(name, str) or name not in nodes:
        name = next(reversed(nodes), None)
    turns: list[dict[str, object]] = []
    passed: set[object] = set()
    while isinstance(name, str) and isinstance(node := nodes.get(name), dict):
        if name in passed:
            raise BadRowError("its branches run in a circle")
        passed.add(name)
        turn = _chatgpt_turn(node.get("message"))
        if turn is not None:
            turns.append(turn)
        name = node.get("parent")
    return _joined(turns[::-1])


def is_openai_log(row: Fields) -> bool:
    """Whether a row is a request in OpenAI's format beside its response."""
    if "choices" in row and "messages" in row:
        return True
    request = row.get("request", row.get("body"))
    return isinstance(request, dict) and "messages" in request and "response" in row


def openai_turns(row: Fields) -> list[object]:
    """The messages of the request, then the first choice of the response.

    Raises:
        BadRowError: If one of them is not there, or the answer was cut off.
    """
    request = row.get("request", row.get("body", row))
    response = row.get("response", row)
    if isinstance(response, Mapping) and isinstance(response.get("body"), Mapping):
        response = response["body"]
    messages = request.get("messages") if isinstance(request, Mapping) else None
    choices = response.get("choices") if isinstance(response, Mapping) else None
    if not isinstance(messages, list):
        raise BadRowError(f"messages are {kind_of(messages)}, not a list")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise BadRowError("no answer: the response has no choices")
    answer = choices[0].get("message")
    if not isinstance(answer, dict):
        raise BadRowError("no answer: the first choice has no message")
    ending = choices[0].get("finish_reason")
    if ending in CUT_OFF:
        raise BadRowError(f"the answer was cut off (finish_reason: {ending})")
    return [*messages, answer]


def _chatgpt_turn(message: object) -> dict[str, object] | None:
    if not isinstance(message, dict):
        return None
    author, content = message.get("author"), message.get("content")
    role = author.get("role") if isinstance(author, dict) else None
    hidden = message.get("metadata")
    is_hidden = isinstance(hidden, dict) and hidden.get("is_visually_hidden_from_conversation")
    if role not in ("user", "assistant") or is_hidden or not isinstance(content, dict):
        return None
    if content.get("content_type") not in ("text", "multimodal_text"):
        return None
    parts = content.get("parts")
    words = [part for part in parts if isinstance(part, str)] if isinstance(parts, list) else []
    text = "\n\n".join(words)
    return {"role": role, "content": text} if text.strip() else None


def _joined(turns: list[dict[str, object]]) -> list[dict[str, object]]:
    """Neighbours of one role as one turn: what a tool did between them is not said."""
    joined: list[dict[str, object]] = []
    for turn in turns:
        if joined and joined[-1]["role"] == turn["role"]:
            joined[-1] = {**turn, "content": f"{joined[-1]['content']}\n\n{turn['content']}"}
        else:
            joined.append(turn)
    while joined and joined[-1]["role"] == "user" and len(joined) > 1:
        joined.pop()
    return joined
