"""The studio as a command: where it is, said to people and programs, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys

import httpx2

from conftest import save_dataset

COMMAND = [sys.executable, "-c", "from tunesmith.cli.main import main; main()", "studio"]


def test_the_command_prints_the_review_pages_address_and_ends_well_on_ctrl_c(workspace):
    save_dataset(workspace, [("a", "b")])
    started = subprocess.Popen(
        [*COMMAND, "--port", "0", "--json", "--reviewer", "Zoë", "-C", str(workspace.root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ, DISPLAY=""),
    )
    url = json.loads(started.stdout.readline())["url"]
    page = httpx2.get(url, timeout=60)
    started.send_signal(signal.SIGINT)

    assert started.communicate(timeout=60) == ("", "")
    assert started.returncode == 0
    assert url.endswith("/review")
    assert "Zoë" in page.text


def test_a_taken_port_is_said_with_the_fix(workspace):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = subprocess.run(
            [*COMMAND, "--port", port, "-C", str(workspace.root)], capture_output=True, text=True
        )

    assert refused.returncode == 2
    assert f"port {port} of 127.0.0.1" in refused.stderr
    assert "`--port`" in refused.stderr
