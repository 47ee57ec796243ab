"""Greenlets: a program that gevent has patched, and gunicorn's workers of that kind."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
from receiver import HANG, Receiver
from test_gunicorn import serve_with_gunicorn

SRC = str(Path(__file__).resolve().parents[1] / "src")
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("gevent") is None, reason="gevent is not installed"
)
TIMEOUT_S = 60

PROGRAM = """
{first}
import gevent
import aisentry

aisentry.init()
shared = aisentry.observe(lambda n: gevent.sleep(0.001) or n, name="shared")


def work(number):
    with aisentry.span(f"run {{number}}", user_id=f"u-{{number}}"):
        gevent.sleep(0.001)
        aisentry.log_prompt_call(model=f"m-{{number}}")
        shared(number)


gevent.joinall([gevent.spawn(work, number) for number in range(50)], raise_error=True)
print(aisentry.flush(20) if {waits} else "")
"""

PATCHED = "from gevent import monkey; monkey.patch_all()"
ORDERS = {
    "patched first": PATCHED,
    "patched after the import": f"import aisentry; {PATCHED}",
    "patched after init": f"import aisentry; aisentry.init(); {PATCHED}",
}


def run_program(first: str, waits: bool, dsn: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(first=first, waits=waits)],
        env={**os.environ, "PYTHONPATH": SRC, "AISENTRY_DSN": dsn},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


@pytest.mark.parametrize("waits", [True, False], ids=["flush", "the end of the program"])
@pytest.mark.parametrize("order", ORDERS)
def test_greenlets(order: str, waits: bool, receiver: Receiver) -> None:
    done = run_program(ORDERS[order], waits, receiver.dsn)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == ("True" if waits else "")
    receiver.wait(lambda seen: len(seen.taken) == 150)
    runs: Dict[str, List[Any]] = {event["run_id"]: [] for event in receiver.taken}
    for event in receiver.taken:
        runs[event["run_id"]].append(event)
    assert len(runs) == 50
    for events in runs.values():
        assert sorted(event["event_type"] for event in events) == ["prompt_call", "span", "span"]
        assert len({event["user_id"] for event in events}) == 1


def test_a_server_that_hangs_stops_no_greenlet(receiver: Receiver) -> None:
    receiver.script = [HANG] * 100
    done = run_program(PATCHED, False, receiver.dsn)
    assert done.returncode == 0 and "Traceback" not in done.stderr


def test_gunicorn_with_gevent(receiver: Receiver, tmp_path: Path) -> None:
    pytest.importorskip("gunicorn")
    serve_with_gunicorn(receiver, tmp_path, "--worker-class=gevent")
