"""Rows of any shape to conversations, by templates in the recipe: fields -> turns."""

from collections.abc import Mapping as MappingOf
from fnmatch import fnmatchcase
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from tunesmith.core.section import Section
from tunesmith.curate.templating import EmptyFieldError, check, render
from tunesmith.curate.turns import BadRowError, kind_of


def _compiles(text: str) -> str:
    check(text)
    return text


Template = Annotated[str, AfterValidator(_compiles)]
"""Jinja: `{{ subject }}` is the row's field; `row["Ticket ID"]` any field, whatever its name.
Lists and objects are written by `| join` and `| tojson`; a null is no text, and `| default('…')` stands in for it."""


class Each(Section):
    """Turns that stand as a list in one field."""

    field: str
    """The field that holds the list; dots lead into objects, as in `ticket.comments`."""
    role: Template
    """Who speaks, from the item's fields, such as `{{ author_role }}`."""
    content: Template
    """What is said, from the item's fields."""
    roles: dict[str, str] = Field(default_factory=dict)
    """What the source calls its roles, such as `{agent: assistant, customer: user}`."""


class Mapping(Section):
    """How the rows of some sources become conversations."""

    files: str = "*"
    """The sources it applies to, as a pattern such as `data/tickets*.csv`; the first mapping that matches is taken."""
    system: Template | None = None
    """System turn; left out where it renders to nothing."""
    question: Template | None = None
    """User turn."""
    answer: Template | None = None
    """Assistant turn."""
    each: Each | None = None
    """Turns out of a list, instead of `question` and `answer`."""
    tags: tuple[Template, ...] = ()
    """A tag a template; those that render to nothing are left out."""
    group: Template | None = None
    """Thread, customer or entity: rows of one group stay on one side of every split."""
    metadata: dict[str, Template] = Field(default_factory=dict)
    """Facts to keep with the example, by name."""

    @model_validator(mode="after")
    def _says_what_the_turns_are(self) -> Self:
        pair = (self.question is not None, self.answer is not None)
        if self.each is not None and any(pair):
            raise ValueError("give either `each`, or `question` and `answer`")
        if self.each is None and not all(pair):
            raise ValueError("give `question` and `answer`, or `each`")
        return self

    def fits(self, shown: str) -> bool:
        """Whether it applies to a source of this name."""
        return fnmatchcase(shown, self.files)


def mapping_for(mappings: tuple[Mapping, ...], shown: str) -> Mapping | None:
    """The first mapping whose pattern fits the name of a source."""
    return next((one for one in mappings if one.fits(shown)), None)


def mapped(mapping: Mapping, row: object) -> dict[str, object]:
    """The row as a chat row, which `recognise` understands.

    Raises:
        BadRowError: If a template needs a field that the row has not, or fails; or a turn writes a field that is null.
            Where a tag, the group, a fact or the system turn would, it is left out.
    """
    if not isinstance(row, dict):
        raise BadRowError(f"not an object but {kind_of(row)}")
    system = _or_nothing("system", mapping.system, row)
    turns: list[dict[str, object]] = [{"role": "system", "content": system}] if system else []
    if mapping.each is not None:
        turns += _items(mapping.each, row)
    else:
        turns.append({"role": "user", "content": render("question", mapping.question or "", row)})
        turns.append({"role": "assistant", "content": render("answer", mapping.answer or "", row)})
    return {
        "messages": turns,
        "tags": [_or_nothing("tags", text, row) for text in mapping.tags],
        "group": _or_nothing("group", mapping.group, row),
        "metadata": {
            name: _or_nothing(f"metadata.{name}", text, row)
            for name, text in mapping.metadata.items()
        },
    }


def _items(each: Each, row: MappingOf[str, Any]) -> list[dict[str, object]]:
    items: Any = row
    for part in each.field.split("."):
        items = items.get(part) if isinstance(items, dict) else None
    if not isinstance(items, list):
        raise BadRowError(f"mapping.each.field: {each.field} is {kind_of(items)}, not a list")
    turns: list[dict[str, object]] = []
    for item in items:
        fields = {**row, **item} if isinstance(item, dict) else {**row, "item": item}
        role = render("each.role", each.role, fields).strip()
        content = render("each.content", each.content, fields)
        turns.append({"role": each.roles.get(role, role), "content": content})
    return turns


def _or_nothing(name: str, text: str | None, row: MappingOf[Any, Any]) -> str:
    """The template filled, or nothing where there is none or a field that it writes is null."""
    try:
        return render(name, text or "", row)
    except EmptyFieldError:
        return ""
