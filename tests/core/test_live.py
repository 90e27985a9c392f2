"""The live view: drawn in a real terminal, lines in a log, exact sparklines."""

import os
import pty
import re
import subprocess
import sys

import pytest

from tunesmith.core.sparkline import sparkline

SCRIPT = """
import time
from tunesmith.core.live import Reading, live
with live("training", 4) as view:
    view.say("warning: 3 of 9 examples are left out")
    for step in range(5):
        loss = 4.0 - step
        view.show(step, {"loss": Reading(f"{loss:.2f}", tuple(4.0 - s for s in range(step + 1)), "from 4.00"),
                         "speed": Reading("512 tok/s")})
        time.sleep(0.3)
"""


def in_a_terminal(script: str) -> str:
    """What a program writes to a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    environment = dict(os.environ, TERM="xterm-256color", COLUMNS="100", LINES="30")
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        written = b""
        try:
            while piece := os.read(ours, 65536):
                written += piece
        except OSError:  # Linux: the other end is closed
            pass
    os.close(ours)
    assert process.returncode == 0
    return written.decode()


def test_a_terminal_shows_bar_clock_sparkline_and_notes_above_them():
    written = in_a_terminal(SCRIPT)

    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)
    last = plain[plain.rindex("training") :]
    assert re.search(r"4/4 +0:01 gone +0:00 left", last)
    assert re.search(r"loss +0\.00 +█▆▅▃▁ +from 4\.00", last)
    assert "512 tok/s" in last
    assert plain.count("warning: 3 of 9 examples are left out") == 1
    assert plain.index("warning:") < plain.index("loss")


def test_a_log_gets_plain_lines():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)

    assert done.stderr.splitlines() == [
        "warning: 3 of 9 examples are left out",
        "training: 4/4, 0:00 left, loss 0.00, speed 512 tok/s",
    ]


@pytest.mark.parametrize(
    ("series", "drawn"),
    [((), ""), ((1.0,), "▁"), ((2, 2, 2), "▁▁▁"), ((0, 7, 0), "▁█▁"), (range(100), "▁▂▃▄▅▆▇█")],
)
def test_a_sparkline_spans_its_lowest_and_highest_value(series, drawn):
    assert sparkline(series, width=8) == drawn
