"""Files that are no UTF-8: what they declare, what the recipe says, or what their letters say, and never silently."""

import pytest
from pydantic import ValidationError

from curate.reading import load
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.preview import preview
from tunesmith.curate.stage import run

ENGLISH = "How do I pay?,By card.\n" * 200
TEXTS = [
    ("cp1252", "Wer ist das?,Der zuständige Müller."),
    ("cp1252", "Menü?,ja"),
    ("cp1252", "Where?,In São Paulo"),
    ("cp1252", "How much?,It’s 10 € – or 5 m³"),
    ("cp1252", "Größe des señor?,garçon für mañana"),
    ("cp1252", "Hvernig breyti ég?,Það er í stillingum, þú ýtir".replace(", þ", " þ")),
    ("cp1250", "Jak zmienić hasło?,Proszę kliknąć łącze."),
    ("cp1250", "Jak změním heslo?,Otevřete účet a klikněte."),
    ("cp1250", "Kje je račun?,Možnost še ni na voljo."),
    ("iso8859_2", "Gdzie są źródła?,Na ścieżce."),
    ("cp1254", "Şifremi nasıl değiştiririm?,Ayarları açın."),
    ("mac_roman", "Wie öffne ich das Menü?,Über die Größe."),
    ("cp850", "Wie öffne ich das Menü?,Über die Größe."),
    ("cp1251", "Как изменить пароль?,Откройте настройки."),
    ("cp1251", "What about Київ?,Їжак їде"),
    ("koi8-r", "Как изменить пароль?,Откройте настройки."),
    ("cp1253", "Πώς αλλάζω τον κωδικό;,Ανοίξτε τις ρυθμίσεις."),
    ("cp932", "パスワードを変更するには？,設定を開いてください。"),
    ("gb18030", "打开Windows设置？,点击Wi-Fi选项"),
    ("utf-16-le", "What is x?,One\nWhat is y?,Zwei ü"),
    ("utf-16-le", "如何更改密码？,打开设置，选择密码\nWhat?,Yes"),
    ("utf-16-be", "Как изменить пароль?,Откройте настройки, пожалуйста".replace(", ", " ")),
]


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
def test_letters_say_which_encoding_a_table_is_in(tmp_path, encoding, text):
    path = tmp_path / "a.csv"
    expected = [tuple(line.split(",", 1)) for line in text.split("\n")]

    path.write_bytes(f"question,answer\n{text}\n".encode(encoding))
    short = [(row.prompt[0].content, row.answer) for row in load(path, "a.csv").examples]
    path.write_bytes(f"question,answer\n{ENGLISH}{text}\n".encode(encoding))
    long = [(row.prompt[0].content, row.answer) for row in load(path, "a.csv").examples]

    assert short == expected
    assert long[200:] == expected


def test_html_and_python_are_read_in_the_encoding_that_they_declare(tmp_path):
    page = '<html><head><meta charset="windows-1251"></head><h2>Да?</h2><p>ABCж</p></html>'
    code = '# -*- coding: koi8-r -*-\ndef f():\n    """Да"""\n    return "ж"\n'
    (tmp_path / "a.html").write_bytes(page.encode("cp1251"))
    (tmp_path / "a.py").write_bytes(code.encode("koi8-r"))

    found = [load(tmp_path / name, name).examples[0] for name in ("a.html", "a.py")]

    assert (found[0].prompt[0].content, found[0].answer) == ("Да?", "ABCж")
    assert found[1].prompt[0].content.endswith("Да")


def test_the_recipe_says_the_encoding_where_the_guess_is_wrong_and_utf8_stays_utf8(tmp_path):
    (tmp_path / "a.csv").write_bytes("question,answer\nЧто?,Да\n".encode("cp1251"))
    (tmp_path / "b.csv").write_text("question,answer\nЧто?,Да\n", encoding="utf-8")
    config = CurateConfig(encoding="cp1251")

    for name in ("a.csv", "b.csv"):
        assert load(tmp_path / name, name, config).examples[0].answer == "Да"
    with pytest.raises(ValidationError, match="no encoding is called 'cp125'"):
        CurateConfig(encoding="cp125")


PAGES = {
    "a.md": "## Что?\nДа\n",
    "a.html": "<h2>Что?</h2><p>Да</p>",
    "a.py": 'def f():\n    """Что?"""\n    return "Да"\n',
}


@pytest.mark.parametrize("name", PAGES)
def test_the_recipes_encoding_reaches_documents_and_code(tmp_path, name):
    (tmp_path / name).write_bytes(PAGES[name].encode("cp855"))

    (example,) = load(tmp_path / name, name, CurateConfig(encoding="cp855")).examples

    assert "Что?" in example.prompt[0].content
    assert "Да" in example.answer


def test_what_a_file_declares_goes_before_the_recipe(tmp_path):
    page = '<html><head><meta charset="windows-1251"></head><h2>Да?</h2><p>ж</p></html>'
    (tmp_path / "a.html").write_bytes(page.encode("cp1251"))

    (example,) = load(tmp_path / "a.html", "a.html", CurateConfig(encoding="cp1252")).examples

    assert (example.prompt[0].content, example.answer) == ("Да?", "ж")


BROKEN = {
    "a.md": (b"## Why?\nS\xc3\xb6.\n## How?\nWith\n\xff it.\n", 3, 5),
    "a.html": (b"<h2>Why?</h2>S\xc3\xb6.\r<h2>How?</h2>With\r\n\xff it.\n", 2, 3),
    "a.py": (b"def f():\n 'Why?'\n return 1\ndef g():\n 'Why? \xc3\xb6'\n return '\xff'\n", 4, 6),
}


@pytest.mark.parametrize("name", BROKEN)
def test_bytes_of_documents_and_code_that_are_no_text_cost_their_own_row(tmp_path, name):
    content, line, bad_line = BROKEN[name]
    (tmp_path / name).write_bytes(content)

    loaded = load(tmp_path / name, name)

    assert len(loaded.examples) == 1
    ((at, reason),) = loaded.reasons
    assert at == line
    assert reason.startswith(f"line {bad_line}: not UTF-8: byte 0xff at position ")
    assert reason.endswith("; save the file as UTF-8")


def test_code_that_bad_bytes_make_none_is_set_aside_for_them(tmp_path):
    (tmp_path / "a.py").write_bytes(b"x = '\xc3\xb6'\ny = \xff1\n")

    loaded = load(tmp_path / "a.py", "a.py")

    assert loaded.reasons == [
        (2, "line 2: not UTF-8: byte 0xff at position 5; save the file as UTF-8")
    ]


def test_a_guessed_encoding_is_told_by_preview_and_manifest(workspace):
    rows = "".join(f"Frage {number} für Jürgen?,Über {number}\n" for number in range(20))
    (workspace.root / "data").mkdir()
    (workspace.root / "data/a.csv").write_bytes(f"question,answer\n{rows}".encode("cp1252"))
    (workspace.root / "data/b.csv").write_text(f"question,answer\n{rows}", encoding="utf-8")

    found = preview(CurateConfig(), workspace)
    made = run(CurateConfig(near_duplicates=None, leakage=None), workspace)

    assert found.notes == ("data/a.csv: read as cp1252 (guessed; curate.encoding sets another)",)
    assert [source.guessed_encoding for source in made.dataset.sources] == ["cp1252", ""]
    told = preview(CurateConfig(encoding="cp1252"), workspace)
    assert told.notes == ()
