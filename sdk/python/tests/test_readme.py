"""The examples that people copy: the README's, and those of the public docstrings."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import pytest
from conftest import Start
from receiver import Receiver

import aisentry

ROOT = Path(__file__).resolve().parents[1]


def test_readme(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISENTRY_DSN", receiver.dsn)
    blocks = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S
    )
    names: Dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert aisentry.close(10)
    receiver.wait(lambda seen: len(seen.taken) == 9)
    kinds = sorted(event["event_type"] for event in receiver.taken)
    assert kinds == ["prompt_call"] * 3 + ["score"] + ["span"] * 4 + ["tool_call"]
    assert "eve@example.com" not in str(receiver.taken)
    root = next(event for event in receiver.taken if event.get("name") == "answer")
    inside = [event for event in receiver.taken if event.get("parent_span_id") == root["span_id"]]
    assert len(inside) == 2 and root["output"] == "It is clear."


def test_readme_names_every_public_name_and_reason() -> None:
    from aisentry._tally import REASONS

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    known = set(re.findall(r"\w+", text))
    assert set(aisentry.__all__) - {"Span", "Stats", "__version__"} <= known
    assert set(REASONS) <= known


@pytest.mark.parametrize(
    "name", [name for name in aisentry.__all__ if callable(getattr(aisentry, name))]
)
def test_docstrings(name: str, receiver: Receiver, start: Start) -> None:
    if name in ("Stats", "Span"):
        return
    start(receiver.dsn)
    tests = doctest.DocTestFinder(recurse=False).find(
        getattr(aisentry, name), name, aisentry, globs={**vars(aisentry)}
    )
    examples = sum(len(test.examples) for test in tests)
    runner = doctest.DocTestRunner()
    for test in tests:
        runner.run(test)
    assert runner.failures == 0
    assert examples > 0 or name in ("close",)


def test_the_benchmark_runs() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "overhead.py"), "100"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 and "bare append" in done.stdout, done.stderr
    lines = {line[:22].strip(): line for line in done.stdout.splitlines()}
    for peer in ("OpenTelemetry", "Langfuse", "Sentry"):
        if "not installed" not in lines[peer]:
            assert wall_us(lines["log_prompt_call steady"]) < wall_us(lines[peer])


def wall_us(line: str) -> float:
    found = re.search(r"wall +([0-9.]+) us", line)
    assert found is not None, line
    return float(found.group(1))
