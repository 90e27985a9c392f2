"""Python source: the docstring asks, the function answers."""

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path

from tunesmith.curate.decoding import decode_text
from tunesmith.curate.row import RawRow, Row, rejected

Function = ast.FunctionDef | ast.AsyncFunctionDef


def read(path: Path, shown: str) -> Iterator[Row]:
    """A row a function or method; those without a docstring or a body are set aside."""
    source = decode_text(path.read_bytes())
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        yield rejected(shown, line, f"not Python: {error}", source)
        return
    lines = source.split("\n")
    for owner, function in _functions(module):
        docstring = ast.get_docstring(function)
        if not docstring:
            yield rejected(shown, function.lineno, f"{function.name} has no docstring", "")
        elif len(function.body) == 1:
            yield rejected(shown, function.lineno, f"{function.name} has no body", docstring)
        else:
            yield RawRow(
                function.lineno, _value(function, owner, docstring, lines, shown), "", "python"
            )


def _functions(module: ast.Module) -> Iterator[tuple[str, Function]]:
    """Top-level functions, and methods with the name of their class."""
    for node in module.body:
        if isinstance(node, Function):
            yield "", node
        elif isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, Function):
                    yield node.name, method


def _value(
    function: Function, owner: str, docstring: str, lines: list[str], shown: str
) -> dict[str, object]:
    kind = "method" if owner else "function"
    place = f" of the class `{owner}`" if owner else ""
    async_ = "async " if isinstance(function, ast.AsyncFunctionDef) else ""
    returns = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    signature = f"{async_}def {function.name}({ast.unparse(function.args)}){returns}"
    question = f"Write the Python {kind} `{signature}`{place}.\n\n{docstring}"
    return {
        "messages": [
            {"role": "user", "content": question},
            {"role": "assistant", "content": _without_docstring(function, lines)},
        ],
        "group": f"code:{shown}",
    }


def _without_docstring(function: Function, lines: list[str]) -> str:
    start = min([function.lineno, *(node.lineno for node in function.decorator_list)])
    first, second = function.body[0], function.body[1]
    if second.lineno == first.end_lineno:
        kept = lines[start - 1 : function.end_lineno]
    else:
        kept = [
            *lines[start - 1 : first.lineno - 1],
            *lines[first.end_lineno or 0 : function.end_lineno],
        ]
    return textwrap.dedent("\n".join(kept)).strip()
