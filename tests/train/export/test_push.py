"""Pushing speaks the hub's protocol: against a small server that answers as the hub does."""

import base64
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tunesmith.errors import RecipeError
from tunesmith.train.export.push import require_token

SCRIPT = """
import sys
from pathlib import Path
from tunesmith.train.export.push import push
print(push(Path(sys.argv[1]), "me/tiny"))
"""


class Hub(BaseHTTPRequestHandler):
    """Takes a repository and one commit of small files."""

    seen: list[str]
    files: dict[str, bytes]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(f"{self.path} {self.headers['Authorization']}")
        host = f"http://{self.headers['Host']}"
        if self.path == "/api/repos/create":
            assert json.loads(body)["visibility"] == "private"
            self.answer({"url": f"{host}/me/tiny", "name": "me/tiny"})
        elif self.path == "/api/validate-yaml":
            self.answer({"errors": [], "warnings": []})
        elif self.path.endswith("/preupload/main"):
            names = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]
            self.answer({"files": modes})
        else:
            lines = [json.loads(line) for line in body.splitlines()]
            for value in (line["value"] for line in lines if line["key"] == "file"):
                self.files[value["path"]] = base64.b64decode(value["content"])
            self.answer({"commitUrl": f"{host}/me/tiny/commit/abc", "commitOid": "abc"})

    def answer(self, value):
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Say nothing."""


def test_a_folder_is_pushed_whole_to_a_private_repository(tmp_path):
    Hub.seen, Hub.files = [], {}
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n# it\n")
    (tmp_path / "chat_templates").mkdir()
    (tmp_path / "chat_templates" / "a.jinja").write_text("{{ messages }}")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hub = f"http://127.0.0.1:{server.server_port}"
    environment = {**os.environ, "HF_ENDPOINT": hub, "HF_TOKEN": "hf_t", "HF_HUB_OFFLINE": "0"}

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
    )

    server.shutdown()
    assert done.stdout.strip() == f"{hub}/me/tiny/commit/abc", done.stderr
    assert set(Hub.files) == {"README.md", "chat_templates/a.jinja"}
    assert Hub.files["README.md"] == (tmp_path / "README.md").read_bytes()
    assert all(call.endswith("Bearer hf_t") for call in Hub.seen if "validate" not in call)


def test_without_a_token_nothing_is_begun(monkeypatch, tmp_path):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))

    with pytest.raises(RecipeError, match="no token for the hub"):
        require_token()
