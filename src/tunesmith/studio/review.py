"""The review page: one row at a time, decided by keyboard; every decision is kept with who and when."""

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from tunesmith.artifacts.review import ReviewDecision
from tunesmith.core.conversation import Example
from tunesmith.errors import RequestError
from tunesmith.studio.beside import Turn, beside
from tunesmith.studio.desk import REVIEWER_COOKIE, Desk, cookie_value, desk_of
from tunesmith.studio.difference import Sides, compare
from tunesmith.studio.forms import posted
from tunesmith.studio.opinions import Opinions
from tunesmith.studio.shelf import Entry, Shelf
from tunesmith.studio.view import Queue, View

routes = APIRouter()
Form = Annotated[dict[str, str], Depends(posted)]
SEE_OTHER = 303
MOST_NAME_CHARACTERS = 80
COOKIE_SECONDS = 365 * 24 * 3600


class Opinion(NamedTuple):
    """What a reviewer decided about the row that is shown."""

    decision: ReviewDecision
    edit: Sides | None
    """The answer before and after, where it was edited."""


class Resemblance(NamedTuple):
    """A near-duplicate beside the row that is reviewed."""

    entry: Entry
    similarity: float | None
    turns: list[Turn]


@routes.get("/review")
def show(request: Request, view: Annotated[View, Query()]) -> HTMLResponse:
    """The row that the view names, or the first that waits."""
    desk = desk_of(request)
    reviewer = desk.reviewer_of(request)
    newest = desk.newest_dataset()
    view = view.model_copy(update={"dataset": view.dataset or newest})
    shelf = desk.shelf(view.dataset)
    opinions = Opinions(shelf, desk.log)
    queue = Queue(view, shelf, opinions, reviewer)
    entry = queue.current(view.key)
    facts: dict[str, object] = {
        "view": view,
        "newest": newest,
        "queue": queue,
        "entry": entry,
        "rules": shelf.rules,
        "sources": shelf.files,
        "progress": opinions.progress(reviewer),
        "concord": opinions.concord(),
        "sample": opinions.sample(),
        "last": opinions.last_of(reviewer),
        "left_out": len(_left_out(view, shelf)),
    }
    if entry is not None:
        facts |= _row(entry, shelf, opinions, view, reviewer)
        mine = opinions.on(entry.key).get(reviewer)
        facts["draft"] = mine or desk.log.taken_back(entry.key, reviewer)
        if facts["others"]:
            desk.show_others(reviewer, entry.key)
    return desk.page(request, "review", facts)


@routes.post("/review/decide")
async def decide(request: Request, view: Annotated[View, Query()], form: Form) -> RedirectResponse:
    """Keep a decision about the row that the view names, and go on to the next."""
    return await run_in_threadpool(_decide, desk_of(request), request, view, form)


@routes.post("/review/undo")
async def undo(request: Request, view: Annotated[View, Query()], form: Form) -> RedirectResponse:
    """Take the reviewer's last decision back, and show its row again."""
    return await run_in_threadpool(_undo, desk_of(request), request, view)


@routes.post("/reviewer")
async def rename(request: Request, form: Form) -> RedirectResponse:
    """From now on this browser decides in another name."""
    name = " ".join(form.get("name", "").split())[:MOST_NAME_CHARACTERS]
    back = form.get("back", "/review")
    answer = RedirectResponse(back if _is_ours(back) else "/review", SEE_OTHER)
    value = cookie_value(name)
    answer.set_cookie(
        REVIEWER_COOKIE, value, max_age=COOKIE_SECONDS, samesite="strict", httponly=True
    )
    return answer


def _decide(desk: Desk, request: Request, view: View, form: dict[str, str]) -> RedirectResponse:
    shelf, reviewer = _shelf(desk, view), desk.reviewer_of(request)
    if view.key not in shelf:
        raise RequestError(
            f"{shelf.dataset.id} has no row {view.key[:12]!r}", fix="open the review page again"
        )
    opinions = Opinions(shelf, desk.log)
    following = Queue(view, shelf, opinions, reviewer).after(view.key)
    decision = _decision(
        shelf.example(view.key),
        form,
        reviewer=reviewer,
        saw_others=desk.has_seen_others(reviewer, view.key),
    )
    desk.log.append([*_for_its_witness(shelf.entry(view.key), decision, opinions), decision])
    if following is None:
        return _to(view, key="")
    return _to(view, key=following.key)


def _undo(desk: Desk, request: Request, view: View) -> RedirectResponse:
    shelf, reviewer = _shelf(desk, view), desk.reviewer_of(request)
    last = Opinions(shelf, desk.log).last_of(reviewer)
    if last is None:
        return _to(view, key=view.key)
    taken_back = ReviewDecision(example_key=last.example_key, verdict="undo", reviewer=reviewer)
    desk.log.append([taken_back])
    return _to(view, key=last.example_key)


def _decision(
    example: Example, form: dict[str, str], *, reviewer: str, saw_others: bool
) -> ReviewDecision:
    verdict, answer = form.get("verdict", ""), form.get("answer", "")
    if verdict == "edit" and answer == example.answer.replace("\r\n", "\n"):
        verdict = "accept"
    if verdict == "edit" and not answer.strip():
        raise RequestError("an edit needs an answer", fix="write an answer, or reject the row")
    try:
        return ReviewDecision.model_validate(
            {
                "example_key": example.key,
                "verdict": verdict,
                "answer": answer if verdict == "edit" else None,
                "reviewer": reviewer,
                "seconds": form.get("seconds") or None,
                "note": form.get("note", "").strip(),
                "saw_others": saw_others,
            }
        )
    except ValidationError as error:
        problem = error.errors()[0]
        raise RequestError(
            f"this is no decision: {problem['msg']}",
            fix="accept, edit or reject the row",
        ) from error


def _for_its_witness(
    entry: Entry, decision: ReviewDecision, opinions: Opinions
) -> list[ReviewDecision]:
    """A word for the row that a removed one is brought back beside, whose place it would take otherwise."""
    if entry.place != "removed" or decision.verdict != "accept":
        return []
    note = "kept beside a row that was brought back"
    return [
        decision.model_copy(update={"example_key": near.key, "note": note, "seconds": None})
        for near in entry.neighbours[:1]
        if not opinions.on(near.key)
    ]


def _row(
    entry: Entry, shelf: Shelf, opinions: Opinions, view: View, reviewer: str
) -> dict[str, object]:
    example = shelf.example(entry.key)
    by = opinions.on(entry.key)
    mine = by.get(reviewer)
    is_open = mine is not None or view.show == "disagreed"
    return {
        "example": example,
        "rejected": getattr(example, "rejected", None),
        "thumb": getattr(example, "is_good", None),
        "mine": _opinion(mine, example) if mine else None,
        # Whoever has yet to decide must not be told what others think: agreement would mean nothing.
        "others": [
            _opinion(one, example) for one in by.values() if is_open and one.reviewer != reviewer
        ],
        "hidden_others": 0 if is_open else len(by),
        "resemblances": [
            Resemblance(
                shelf.entry(near.key), near.similarity, beside(example, shelf.example(near.key))
            )
            for near in entry.neighbours
            if near.key in shelf
        ],
    }


def _left_out(view: View, shelf: Shelf) -> list[Entry]:
    """The rows that the rule which the view names took out of the dataset, where it looks for them inside."""
    if not view.rule or view.split == "removed":
        return []
    return shelf.part(view.order, place="removed", file=view.source, rule=view.rule).entries


def _opinion(decision: ReviewDecision, example: Example) -> Opinion:
    edit = compare(example.answer, decision.answer) if decision.answer else None
    return Opinion(decision, edit)


def _shelf(desk: Desk, view: View) -> Shelf:
    return desk.shelf(view.dataset or desk.newest_dataset())


def _to(view: View, *, key: str) -> RedirectResponse:
    return RedirectResponse(f"/review{view.query(key=key)}", SEE_OTHER)


def _is_ours(address: str) -> bool:
    """Whether an address stays on this server: `//other.example` would not."""
    return address.startswith("/") and not address.startswith(("//", "/\\"))
