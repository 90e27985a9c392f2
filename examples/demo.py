"""The demo: the alert-rules case from raw files to answers, in a workspace of its own."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
import webbrowser
from pathlib import Path

CASE = Path(__file__).parent / "alert-rules"
WORKSPACE = Path("demo")
TUNESMITH = [str(Path(sys.executable).with_name("tunesmith"))]
QUESTION = "wake the on-call if checkout answers slower than 300 ms at p95 for five minutes"
SYSTEM = "Translate the request into one alert rule."


def main() -> None:
    """Run every stage, ask base and tuned model over HTTP, and say where to look."""
    started = time.monotonic()
    shutil.copytree(CASE, WORKSPACE, dirs_exist_ok=True)
    subprocess.run([*TUNESMITH, "run", "-C", str(WORKSPACE)], check=True)
    ask_both()
    state = json.loads((WORKSPACE / ".tunesmith/state.json").read_text())
    report = WORKSPACE / ".tunesmith/reports" / state["evaluate"]["made"]["report"] / "report.html"
    print(f"\nfinished in {time.monotonic() - started:.0f} s; look at it:")
    print(f"  the report       {report}")
    print(f"  answers          cd {WORKSPACE} && tunesmith serve")
    database = WORKSPACE / ".tunesmith/mlflow/mlflow.db"
    print(f"  the registry     mlflow ui --backend-store-uri sqlite:///{database}")
    print("  (commands are in .venv/bin)")
    if os.environ.get("DISPLAY") or sys.platform in {"darwin", "win32"}:
        webbrowser.open(report.resolve().as_uri())


def ask_both() -> None:
    """Serve, ask the same question of base and tuned model, stop serving."""
    command = [*TUNESMITH, "serve", "-C", str(WORKSPACE), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None  # noqa: S101  # it is a pipe
            ready = json.loads(server.stdout.readline())
            print(f"\nasked over {ready['url']}/chat/completions: {QUESTION}")
            for model in ("smollm2-135m-instruct", "alert-rules"):
                print(f"  {model}: {ask(ready['url'], model)!r}")
        finally:
            server.terminate()


def ask(url: str, model: str) -> str:
    """One answer of one model."""
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    body = json.dumps({"model": model, "messages": messages, "max_tokens": 64}).encode()
    request = urllib.request.Request(  # noqa: S310  # the address is our own server's
        f"{url}/chat/completions", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
        return str(json.load(answer)["choices"][0]["message"]["content"])


if __name__ == "__main__":
    main()
