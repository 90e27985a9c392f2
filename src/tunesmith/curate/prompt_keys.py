"""What a conversation asks and says, as keys: equal questions must land on the same side of every split."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from itertools import takewhile

from tunesmith.core.conversation import Example, Prompt
from tunesmith.core.text import normalise

NUMBER = re.compile(r"\d+")
UNSPOKEN = frozenset({"system", "thumb"})
"""Roles of texts that nobody in the conversation says."""
QUESTION_GROUP = "question:"
"""Begins the name of a group that is an opening question's own link."""


def prompt_key(messages: Prompt) -> str:
    """What is asked, system turn aside: equal keys must land on the same side of every split."""
    return "\x1f".join(
        f"{turn.role}\x1e{normalise(turn.content)}" for turn in messages if turn.role != "system"
    )


def prompt_keys(messages: Prompt) -> list[str]:
    """The key of every question that a conversation answers, the opening one first."""
    return [
        prompt_key(messages[:end]) for end, turn in enumerate(messages) if turn.role == "assistant"
    ]


def conversation_key(example: Example) -> str:
    """Equal for examples that say the same, case, white space and closing punctuation aside."""
    return "\x1f".join(f"{role}\x1e{normalise(text)}" for role, text in example.texts)


def answer_to(example: Example) -> str:
    """The last answer; empty where nothing is asked, as in plain text: there it can repeat or contradict no other."""
    return example.answer if any(turn.role != "system" for turn in example.prompt) else ""


def answer_hash(example: Example) -> int:
    """Equal for last answers that say the same, case, white space and closing punctuation aside."""
    answer = normalise(answer_to(example))
    return hash64(answer) if answer else 0


def said(example: Example) -> str:
    """Everything said, the system turn aside: what is compared to find rows that nearly say the same."""
    return "\n".join(text for role, text in example.texts if role not in UNSPOKEN)


def question(messages: Prompt) -> str:
    """The opening question: what is asked before the first answer, the system turn aside."""
    spoken = takewhile(lambda turn: turn.role != "assistant", messages)
    return "\n".join(turn.content for turn in spoken if turn.role != "system")


def numbers_key(text: str) -> int:
    """Hash of the numbers in a text, in their order."""
    return hash64(" ".join(NUMBER.findall(text)))


def group_links(columns: Mapping[str, str], group_by: Sequence[str]) -> list[int]:
    """Hash of each group a row belongs to; rows that share one stay on one side of every split."""
    return [hash64(f"{name}\x1f{columns[name]}") for name in group_by if columns.get(name)]


def hash64(key: str) -> int:
    """64 bits of a key: a clash among ten million keys has a chance of 1 in 300,000."""
    digest = hashlib.blake2b(key.encode("utf-8", errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def own_link(group: str) -> list[int]:
    """The link of the group that a row names itself; none where it names none."""
    if group.startswith(QUESTION_GROUP) and group[len(QUESTION_GROUP) :].isdecimal():
        return [int(group[len(QUESTION_GROUP) :]) % 2**64]
    return [hash64(f"group\x1f{group}")] if group else []


def question_group(messages: Prompt) -> str:
    """The group that ties a row to all rows with this opening question, wherever they are."""
    return f"{QUESTION_GROUP}{hash64(prompt_keys(messages)[0])}"
