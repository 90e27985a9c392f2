"""Templates over a row: text from its fields; what is no text, such as a null or a list, never becomes some."""

import json
import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from tunesmith.curate.turns import BadRowError


class EmptyFieldError(BadRowError):
    """A field that a template writes is null."""


class _NullError(TypeError):
    """Raised where a null would be written; a type error to those who only ask whether it can be looped over."""


class _Null:
    """A field that is null: false, equal to `none`, and no text."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, _Null)

    def __hash__(self) -> int:
        return hash(None)

    def _refuse(self, *_: object) -> Any:
        raise _NullError(f"{self.name} is empty")

    __str__ = __repr__ = __len__ = __iter__ = __getitem__ = _refuse
    __add__ = __radd__ = __mod__ = __lt__ = __gt__ = __le__ = __ge__ = _refuse


class _List(list[Any]):
    """A field that is a list: can be looped over, joined and measured, but is no text."""

    name = ""

    def __iter__(self) -> Iterator[Any]:
        for number, item in enumerate(super().__iter__(), 1):
            yield _guarded(f"item {number} of {self.name}", item)

    def __str__(self) -> str:
        raise TypeError(
            f"{self.name} is a list: write it with `| join(', ')`, or as JSON with `| tojson`"
        )

    __repr__ = __str__


class _Object(dict[Any, Any]):
    """A field that is an object: its own fields can be reached, but it is no text."""

    name = ""

    def __str__(self) -> str:
        raise TypeError(
            f"{self.name} is an object: name a field of it, or write it as JSON with `| tojson`"
        )

    __repr__ = __str__


def check(text: str) -> None:
    """Nothing, if this is a template.

    Raises:
        ValueError: If it is none.
    """
    _template(text)


def render(name: str, text: str, row: Mapping[Any, Any]) -> str:
    """The template filled with the row's fields, white space around it taken off.

    Args:
        name: The template's place in the mapping, for reasons.
        text: The template.
        row: The fields; a template reaches all of them as `row` too.

    Raises:
        EmptyFieldError: If a field that it writes is null.
        BadRowError: If it needs a field that the row has not, writes what is no text, or fails.
    """
    from jinja2 import TemplateError

    fields = {str(key): value for key, value in row.items()}
    named = {key: _guarded(key, value) for key, value in fields.items()}
    try:
        rendered: str = _template(text).render({**named, "row": _guarded("row", fields)})
    except _NullError as error:
        raise EmptyFieldError(f"mapping.{name}: {error}") from None
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise BadRowError(f"mapping.{name}: {error}") from None
    return rendered.strip()


@lru_cache(maxsize=256)
def _template(text: str) -> Any:
    from jinja2 import TemplateSyntaxError

    try:
        return _environment().from_string(text)
    except TemplateSyntaxError as error:
        raise ValueError(f"no template: {error.message}") from None


@lru_cache(maxsize=1)
def _environment() -> Any:
    """Jinja that cannot reach into Python, and in which every field that is reached is guarded."""
    from jinja2 import StrictUndefined, Undefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Missing(StrictUndefined):
        """A field that is not there; of a guarded one it says where it was looked for."""

        @property
        def _undefined_message(self) -> str:
            owner = self._undefined_obj
            if isinstance(owner, _Null | _List | _Object) and not self._undefined_hint:
                return f"{owner.name} has no field {self._undefined_name!r}"
            return str(super()._undefined_message)

    class Guarding(ImmutableSandboxedEnvironment):
        """Guards what is reached inside a guarded value, too."""

        def getitem(self, obj: Any, argument: Any) -> Any:
            return _guarded(_part(obj, argument), super().getitem(obj, argument))

        def getattr(self, obj: Any, attribute: str) -> Any:
            return _guarded(_part(obj, attribute), super().getattr(obj, attribute))

    def or_default(value: Any, default: Any = "", boolean: bool = False) -> Any:
        is_missing = isinstance(value, Undefined | _Null)
        return default if is_missing or (boolean and not value) else value

    environment = Guarding(
        undefined=Missing,
        autoescape=False,  # no HTML is made
        finalize=lambda value: value if isinstance(value, Undefined) else _written(value),
    )
    environment.filters |= {"default": or_default, "d": or_default, "tojson": _as_json}
    environment.tests["none"] = lambda value: value is None or isinstance(value, _Null)
    return environment


def _guarded(name: str, value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return _Null(name)
    if type(value) not in {list, dict}:
        return value
    guarded = _List(value) if isinstance(value, list) else _Object(value)
    guarded.name = name
    return guarded


def _part(owner: object, key: object) -> str:
    """What a part of a field is called in a reason; fields of the row go by their own names."""
    name = owner.name if isinstance(owner, _List | _Object) else ""
    return str(key) if name in {"", "row"} else f"{name}.{key}"


def _written(value: Any) -> Any:
    """The value, if it can be written as text.

    Raises:
        TypeError: If not; what reaches a template otherwise than as a field is found here.
    """
    if value is None:
        raise _NullError("a value is empty")
    if isinstance(value, _List | _Object):
        return str(value)  # raises, with the field's name
    if isinstance(value, list | dict | tuple | set | Iterator):
        raise TypeError(
            "a list or an object where text is due: `| join(', ')` or `| tojson` writes it"
        )
    if callable(value):
        raise TypeError("a function where text is due")
    return value


def _as_json(value: Any, indent: int | None = None) -> str:
    """Plain JSON: Jinja's own is made for web pages, and writes `<`, `>`, `&` and `'` as escapes."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)


def _plain(value: Any) -> Any:
    return None if isinstance(value, _Null) else str(value)
