"""gunicorn with --preload: init() runs once, before the workers are forked."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import textwrap
import urllib.request
from pathlib import Path

import pytest
from receiver import Receiver
from watchllm import free_port, until

SRC = str(Path(__file__).resolve().parents[1] / "src")
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("gunicorn") is None, reason="gunicorn is not installed"
)

APP = """
import os
import aisentry

aisentry.init()
aisentry.log_prompt_call(model="parent", attributes={"pid": os.getpid()})


def app(environ, start_response):
    with aisentry.span("request", **aisentry.extract(environ)):
        aisentry.log_prompt_call(model="worker", attributes={"pid": os.getpid()})
    start_response("200 OK", [("content-length", "2")])
    return [b"ok"]
"""


def test_preload(receiver: Receiver, tmp_path: Path) -> None:
    serve_with_gunicorn(receiver, tmp_path)


def serve_with_gunicorn(receiver: Receiver, tmp_path: Path, *others: str) -> None:
    """Asks twenty times, and holds what arrived against that."""
    (tmp_path / "served.py").write_text(textwrap.dedent(APP))
    port = free_port()
    options = ["--preload", "--workers=2", "--graceful-timeout=10", *others]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *options, f"--bind=127.0.0.1:{port}", "served:app"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{SRC}:{tmp_path}", "AISENTRY_DSN": receiver.dsn},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}

    def ask() -> bool:
        try:
            request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers=headers)
            with urllib.request.urlopen(request, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    try:
        until(ask, "an answer of gunicorn")
        for _ in range(19):
            assert ask()
    finally:
        server.send_signal(signal.SIGTERM)
        _, said = server.communicate(timeout=30)
    receiver.wait(lambda seen: len(seen.taken) >= 41)
    calls = [event for event in receiver.taken if event["event_type"] == "prompt_call"]
    assert [call["model"] for call in calls].count("parent") == 1
    workers = [call for call in calls if call["model"] == "worker"]
    assert len(workers) == 20
    parent = next(call["attributes"]["pid"] for call in calls if call["model"] == "parent")
    assert parent not in {call["attributes"]["pid"] for call in workers}
    assert {call["run_id"] for call in workers} == {"0af7651916cd43dd8448eb211c80319c"}
    assert len({call["event_id"] for call in calls}) == 21
    assert "Traceback" not in said
