"""Two rows side by side: each turn stands beside its like, and none is lost."""

from tunesmith.core.conversation import Example, Message, Pair
from tunesmith.studio.beside import beside


def row(*turns: str, kind: type[Example] = Example, **facts: str) -> Example:
    """A row of turns such as `user: hello`."""
    messages = [turn.split(": ") for turn in turns]
    said = tuple(Message(role=role, content=content) for role, content in messages)
    return kind(messages=said, **facts)


def shown(one: Example, other: Example) -> list[tuple[str, str]]:
    return [(turn.role, turn.only or str(turn.is_same)) for turn in beside(one, other)]


def test_a_system_turn_is_never_compared_with_a_question():
    one = row("system: Be brief.", "user: When?", "assistant: At nine.")
    other = row("user: When?", "assistant: At ten.")

    assert shown(one, other) == [("system", "this row"), ("user", "True"), ("assistant", "False")]
    assert shown(other, one)[0] == ("system", "the other")
    last = beside(one, other)[-1].sides
    assert [piece.text for side in last for piece in side if not piece.is_shared] == ["nine", "ten"]


def test_the_last_answers_stand_together_however_many_turns_come_before():
    one = row("user: Hello", "assistant: Hi!", "user: When?", "assistant: At nine.")
    other = row("system: Be brief.", "user: When?", "assistant: At nine.")

    assert shown(one, other) == [
        ("system", "the other"),
        ("user", "this row"),
        ("assistant", "this row"),
        ("user", "True"),
        ("assistant", "True"),
    ]


def test_a_worse_answer_is_compared_with_a_worse_answer_alone():
    pair = row("user: When?", "assistant: At nine.", kind=Pair, rejected="Never.")
    plain = row("user: When?", "assistant: At nine.")

    assert shown(pair, plain) == [
        ("user", "True"),
        ("assistant", "True"),
        ("rejected", "this row"),
    ]
