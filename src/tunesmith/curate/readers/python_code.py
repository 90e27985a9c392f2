"""Python source: the docstring asks, the function answers."""

import ast
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tunesmith.curate.readers.python_lines import Lines, NotPythonError
from tunesmith.curate.readers.whole_text import WholeText
from tunesmith.curate.row import RawRow, Row, rejected

Function = ast.FunctionDef | ast.AsyncFunctionDef
NOT_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)


class Owned(NamedTuple):
    """A function with the name of its class, `Outer.Inner` where classes are nested."""

    owner: str
    function: Function


def read(path: Path, shown: str, encoding: str | None = None) -> Iterator[Row]:
    """A row a function or method; those without a docstring or a body are set aside.

    A function inside another one belongs to it. What answers is valid Python and says exactly what the source says.
    """
    file = WholeText(path, shown, encoding)
    try:
        module = _parsed(file.text)
        lines = Lines(file.text)
    except (*NOT_PYTHON, NotPythonError) as error:
        line = getattr(error, "lineno", None) or 1
        reason = file.problem_at(line) or f"not Python: {error}"
        yield rejected(shown, line, reason, file.text)
        return
    yield from map(file.trusted, _rows(module, lines, shown))


def _rows(module: ast.Module, lines: Lines, shown: str) -> Iterator[Row]:
    for owner, function in _functions(module):
        docstring = ast.get_docstring(function)
        if not docstring:
            yield rejected(shown, function.lineno, f"{function.name} has no docstring", "")
        elif len(function.body) == 1:
            yield rejected(shown, function.lineno, f"{function.name} has no body", docstring)
        else:
            yield _row(Owned(owner, function), docstring, lines, shown)


def _parsed(source: str) -> ast.Module:
    with warnings.catch_warnings():
        # Python warns of odd escapes in the strings of strangers, which nobody here can mend.
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        return ast.parse(source)


def _functions(module: ast.Module) -> Iterator[Owned]:
    """Functions and methods in the file's order, those in `if`, `try` and `with` among them."""
    waiting: list[tuple[str, ast.AST]] = [("", module)]
    while waiting:
        owner, node = waiting.pop()
        if isinstance(node, Function):
            yield Owned(owner, node)
            continue
        if isinstance(node, ast.ClassDef):
            owner = f"{owner}.{node.name}".lstrip(".")
        inner = [
            child
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case)
        ]
        waiting.extend((owner, child) for child in reversed(inner))


def _row(owned: Owned, docstring: str, lines: Lines, shown: str) -> Row:
    owner, function = owned
    answer = lines.without_docstring(function)
    if not _says_the_same(answer, function):
        reason = f"{function.name} cannot be taken out of its file without changing what it says"
        return rejected(shown, function.lineno, reason, answer)
    kind = "method" if owner else "function"
    place = f" of the class `{owner}`" if owner else ""
    async_ = "async " if isinstance(function, ast.AsyncFunctionDef) else ""
    returns = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    signature = f"{async_}def {function.name}({ast.unparse(function.args)}){returns}"
    question = f"Write the Python {kind} `{signature}`{place}.\n\n{docstring}"
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    value = {"messages": turns, "group": f"code:{shown}"}
    return RawRow(function.lineno, value, "", "python")


def _says_the_same(answer: str, function: Function) -> bool:
    """Whether the text parses to the function without its docstring, strings and all."""
    try:
        (parsed,) = _parsed(answer).body
        wanted = [ast.dump(node) for node in function.body[1:]]
        return (
            isinstance(parsed, Function)
            and [ast.dump(node) for node in parsed.body] == wanted
            and ast.dump(parsed.args) == ast.dump(function.args)
            and list(map(ast.dump, parsed.decorator_list))
            == list(map(ast.dump, function.decorator_list))
        )
    except NOT_PYTHON:
        return False
