"""Functions of Python files: valid code that says what the file says, and no function passed over."""

import ast

import pytest

from curate.reading import load, read

STRINGS = '''
class A:
    @property
    def sql(self):
        """The query."""
        return """
SELECT *
    FROM t
"""

    def page(self, name):
        """A page."""
        text = f"""
  <p>
    {name +
     "!"}</p>
"""
        short = 'a\\
  b'
# at the margin
        return (text,
    short)

    def late(self): "Late."; x = """
  y"""; return x

    def laté(self): "Spät, ö."; return 1
'''


def test_methods_are_moved_to_the_margin_and_the_texts_in_them_are_not(tmp_path):
    loaded = read(tmp_path / "a.py", STRINGS)

    answers = [example.answer for example in loaded.examples]
    assert loaded.rejected == []
    assert answers == [
        '@property\ndef sql(self):\n    return """\nSELECT *\n    FROM t\n"""',
        'def page(self, name):\n    text = f"""\n  <p>\n    {name +\n     "!"}</p>\n"""\n'
        "    short = 'a\\\n  b'\n# at the margin\n    return (text,\nshort)",
        'def late(self): x = """\n  y"""; return x',
        "def laté(self): return 1",
    ]
    assert all(ast.parse(answer) for answer in answers)


NESTED = '''
if True:
    def chosen():
        """Chosen."""
        return 1
elif False:
    def other():
        """Other."""
        return 2
try:
    import fast
except ImportError:
    def fallback():
        """Fallback."""
        return 3
finally:
    with fast:
        async def inside():
            """Inside."""
            return 4

def outer():
    """Outer."""
    def inner():
        """Inner."""
        return 5
    return inner

class A:
    class B:
        def deep(self):
            """Deep."""
            return 6
    if True:
        def bare(self): pass
'''


def test_functions_in_blocks_and_nested_classes_are_read_and_inner_ones_belong_to_the_outer(
    tmp_path,
):
    loaded = read(tmp_path / "a.py", NESTED)

    asked = [example.prompt[0].content.partition(".\n")[0] for example in loaded.examples]
    assert asked == [
        "Write the Python function `def chosen()`",
        "Write the Python function `def other()`",
        "Write the Python function `def fallback()`",
        "Write the Python function `async def inside()`",
        "Write the Python function `def outer()`",
        "Write the Python method `def deep(self)` of the class `A.B`",
    ]
    assert loaded.examples[0].answer == "def chosen():\n    return 1"
    assert "def inner():" in loaded.examples[4].answer
    assert [row.reason for row in loaded.rejected] == ["bare has no docstring"]


def test_what_cannot_be_taken_out_whole_is_set_aside(tmp_path):
    loaded = read(tmp_path / "a.py", 'def f(): "Doc."; \\\n  return 1\n')

    assert [row.reason for row in loaded.rejected] == [
        "f cannot be taken out of its file without changing what it says"
    ]


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\f\n"])
def test_lines_end_where_python_says_so(tmp_path, ending):
    path = tmp_path / "a.py"
    path.write_bytes(
        b'x = 1\n\ndef f(a):\n    "Doc."\n    return a\n'.replace(b"\n", ending.encode())
    )

    (example,) = load(path, path.name).examples

    assert example.answer.replace("\f", "") == "def f(a):\n    return a"


def test_odd_escapes_of_strangers_warn_nobody(tmp_path, recwarn):
    (example,) = read(tmp_path / "a.py", 'def f():\n    "Doc."\n    return "\\d"\n').examples

    assert example.answer == 'def f():\n    return "\\d"'
    assert not recwarn.list
