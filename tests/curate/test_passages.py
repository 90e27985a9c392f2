"""Documents reach a teacher as text, or not at all."""

import io
import zipfile

import pytest

from curate.teaching import lines, plan, plant_seeds, synthesize, teach
from teacher_server import TeacherServer, served
from tunesmith.curate.synthesis.forecast import forecast
from tunesmith.errors import DataError

pytestmark = pytest.mark.usefixtures("teacher_key")


def office_file() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("word/document.xml", "<w:t>Our prices</w:t>")
    return content.getvalue()


BINARY = {
    "letter.docx": office_file(),
    "manual.pdf": b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj",
    "noise.txt": bytes(range(1, 256)) * 20,
    "picture.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
}
TEXT = {
    "plain.md": b"Prices are below.",
    "umlaut.txt": "Größe und Preis für alle Möbel stehen unten.".encode("latin-1"),
    "wide.txt": "Prices are on page two.".encode("utf-16"),
    "form.txt": b"Page one.\f\nPage two.\r\n\tEnd.",
    "empty.md": b"",
}


def test_files_that_are_no_text_are_named_and_counted_and_never_sent(workspace):
    plant_seeds(workspace)
    (workspace.root / "docs").mkdir()
    for name, content in (BINARY | TEXT).items():
        (workspace.root / "docs" / name).write_bytes(content)
    server = TeacherServer(teach)

    with served(server.app) as url:
        config = plan(url, {"task": "documents", "count": 20}, documents=["docs/*"])
        made = synthesize(config, workspace)

    unread = [f"docs/{name}" for name in BINARY]
    assert [one.file for one in made.unread] == unread
    assert [one.file for one in forecast(config, config.synthesize, workspace).unread] == unread
    assert made.unread[0].reason == "a zip archive or an Office file, no plain text"
    assert made.aside["read"] == len(BINARY)
    aside = [row["seed"] for row in lines(made.aside_path) if row["step"] == "read"]
    assert aside == unread
    sent = " ".join(entry.question for entry in server.log)
    assert len(server.log) == len(TEXT) - 1
    assert "Größe und Preis" in sent
    assert "Prices are on page two." in sent
    assert not any(mark in sent for mark in ("PK", "%PDF", "IHDR", "\ufffd"))


def test_where_no_document_is_text_nothing_is_asked_and_each_is_named(workspace):
    plant_seeds(workspace)
    (workspace.root / "letter.docx").write_bytes(BINARY["letter.docx"])
    server = TeacherServer(teach)

    with served(server.app) as url, pytest.raises(DataError, match=r"letter\.docx: a zip archive"):
        synthesize(plan(url, {"task": "documents"}, documents=["*.docx"]), workspace)

    assert server.log == []
