"""Lines of Python source: which are code and which lie inside a string, so that code alone is moved."""

import ast
import io
import tokenize

OPENINGS = frozenset({"FSTRING_START", "TSTRING_START"})
CLOSINGS = frozenset({"FSTRING_END", "TSTRING_END"})
"""Names of tokens, since older versions of Python have them not."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class NotPythonError(Exception):
    """The tokens of a source cannot be told apart; never leaves this package."""


class Lines:
    """The lines of a source, 1-based as everywhere in Python's own tools."""

    def __init__(self, source: str) -> None:
        """Find the lines that begin inside a string.

        Raises:
            NotPythonError: If the source has no tokens.
        """
        self._lines = source.split("\n")
        self._in_string = _lines_in_strings(source)

    def without_docstring(self, function: Function) -> str:
        """The function's source at the left margin; text inside strings stays as it is."""
        start = min([function.lineno, *(node.lineno for node in function.decorator_list)])
        first, second = function.body[0], function.body[1]
        end = first.end_lineno or first.lineno
        kept: list[str] = []
        for number in range(start, (function.end_lineno or start) + 1):
            is_docstring = first.lineno <= number <= end
            if number == second.lineno == end:
                before = _columns(self._lines[first.lineno - 1], 0, first.col_offset)
                line = before + _columns(self._lines[number - 1], second.col_offset)
            elif is_docstring:
                continue
            else:
                line = self._lines[number - 1]
            kept.append(
                line
                if number in self._in_string and not is_docstring
                else _moved(line, function.col_offset)
            )
        return "\n".join(kept).strip()


def _columns(line: str, start: int, end: int | None = None) -> str:
    """Part of a line; Python counts its columns in bytes."""
    return line.encode("utf-8", "surrogatepass")[start:end].decode("utf-8", "surrogatepass")


def _moved(line: str, columns: int) -> str:
    """The line further left by so many columns, or by as many as it has."""
    margin = len(line) - len(line.lstrip())
    return line[min(columns, margin) :]


def _lines_in_strings(source: str) -> frozenset[int]:
    found: set[int] = set()
    opened: list[int] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            name = tokenize.tok_name[token.type]
            if name in OPENINGS:
                opened.append(token.start[0])
            elif name in CLOSINGS:
                found.update(range(opened.pop() + 1, token.end[0] + 1))
            elif name == "STRING":
                found.update(range(token.start[0] + 1, token.end[0] + 1))
    except (tokenize.TokenError, SyntaxError, IndexError) as error:
        raise NotPythonError(str(error)) from error
    return frozenset(found)
