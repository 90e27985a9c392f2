"""Support tickets: a question with its reply in one row, or an object that holds a thread of comments."""

from collections.abc import Mapping

from tunesmith.curate.readers.persons import REQUESTERS, person
from tunesmith.curate.readers.threads import (
    OWNERS,
    PRIVATE_NOTE,
    Post,
    conversation,
    in_order,
    is_private,
    plain_name,
    post_of,
)
from tunesmith.curate.readers.times import UnknownOrderError
from tunesmith.curate.turns import BadRowError, Fields, kind_of, private_turns

SUBJECTS = ("subject", "title", "summary")
QUESTIONS = ("question", "description", "body", "message", "query", "request", "inquiry", "issue")
ANSWERS = ("reply", "answer", "response", "resolution", "solution")
CHATS = ("messages", "conversations")
THREADS = ("comments", "replies", "thread", "conversation", "posts", "messages")


def is_thread(row: Fields) -> bool:
    """Whether a row holds a list of comments by people rather than turns with roles."""
    comments = _comments(row)
    if not comments or not isinstance(comments[0], dict):
        return False
    post = post_of(comments[0])
    return "role" not in comments[0] and post is not None and bool(post.author or post.role)


def is_flat(row: Fields) -> bool:
    """Whether a row has a question and its reply, by the names of its columns."""
    named = _named(row)
    return any(key in named for key in QUESTIONS) and any(key in named for key in ANSWERS)


def private_notes(row: Fields) -> int:
    """How many comments of a thread, or turns of a chat, are left out because only colleagues were to read them."""
    if is_thread(row):
        return private_turns(_comments(row))
    return sum(private_turns(row.get(key)) for key in CHATS)


def turns(row: Fields) -> list[dict[str, str]]:
    """The conversation of a ticket; its subject stands above the first question.

    Raises:
        BadRowError: If a column that should hold text does not, or nothing in a thread is public.
    """
    named = _named(row)
    subject = next((str(named[key]) for key in SUBJECTS if named.get(key)), "")
    if is_thread(row):
        found = _thread(row, named)
    else:
        question = _text(named, QUESTIONS)
        found = [
            {"role": "user", "content": question},
            {"role": "assistant", "content": _text(named, ANSWERS)},
        ]
    if subject and found and found[0]["role"] == "user" and subject not in found[0]["content"]:
        found[0]["content"] = f"{subject}\n\n{found[0]['content']}"
    return found


def _thread(row: Fields, named: Fields) -> list[dict[str, str]]:
    """Public comments as turns; the description opens the thread where no comment repeats it."""
    comments = [one for one in _comments(row) or [] if isinstance(one, dict)]
    shown: list[Fields] = [one for one in comments if not is_private(one)]
    if not shown:
        raise BadRowError(f"every comment is {PRIVATE_NOTE}")
    try:
        shown = in_order(shown)
    except UnknownOrderError as error:
        raise BadRowError(str(error)) from None
    requester = person(named, REQUESTERS)
    posts = [post for one in shown if (post := post_of(one, requester)) is not None]
    opening = next((text for key in QUESTIONS if isinstance(text := named.get(key), str)), "")
    return conversation(_opened(opening, posts) if opening.strip() else posts)


def _opened(opening: str, posts: list[Post]) -> list[Post]:
    """The posts behind the description, which is the requester's; a first post that repeats it stands for it."""
    first = posts[0] if posts else None
    if first is not None and first.text.split() == opening.split():
        return [first._replace(role="user"), *posts[1:]]
    strangers = {post.author for post in posts if post.role is None and post.author}
    is_requester_here = any(post.role == "user" for post in posts)
    if len(strangers) > 1 and not is_requester_here:
        raise BadRowError("it is not said which author asks: add requester_id, or a role a comment")
    answered = [
        post._replace(role="assistant") if post.author and post.role is None else post
        for post in posts
    ]
    return [Post(opening, role="user"), *answered]


def _comments(row: Fields) -> list[object] | None:
    for key in THREADS:
        value = row.get(key)
        if isinstance(value, list) and value:
            return value
    return None


def _named(row: Fields) -> dict[str, object]:
    """Columns under their plain names; a name with its owner gives way to one without."""
    plain = {plain_name(name): value for name, value in row.items()}
    return {**{OWNERS.sub("", name): value for name, value in plain.items()}, **plain}


def _text(named: Mapping[str, object], keys: tuple[str, ...]) -> str:
    key = next(key for key in keys if key in named)
    value = named[key]
    if not isinstance(value, str):
        raise BadRowError(f"{key} is {kind_of(value)}, not text")
    return value
