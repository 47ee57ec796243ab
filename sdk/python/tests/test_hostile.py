"""Whatever a call is given, the program that makes it sees no error and keeps what it gave."""

from __future__ import annotations

import sys
from typing import Any, Dict

import pytest
from conftest import Start
from receiver import Receiver

import aisentry
from aisentry._lifecycle import lifecycle


def test_deep_recursion(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)

    def endless() -> None:
        endless()

    try:
        endless()
    except RecursionError as error:
        aisentry.log_error(error)
    assert aisentry.flush(10)
    assert receiver.taken[0]["error"]["type"] == "RecursionError"
    assert len(receiver.taken[0]["error"]["stack"]) < 50_000


def test_logging_with_no_stack_left(receiver: Receiver, start: Start) -> None:
    """At every depth near the limit a call works or is counted; the host's own error stays."""
    start(receiver.dsn)

    def down(levels: int) -> None:
        if levels == 0:
            aisentry.log_prompt_call(prompt=[{"a": [1, {"b": object()}]}])
            with aisentry.run("deep"):
                pass
        else:
            down(levels - 1)

    for levels in range(sys.getrecursionlimit() - 200, sys.getrecursionlimit()):
        try:
            down(levels)
        except RecursionError:
            pass
    assert aisentry.flush(10)
    stats = aisentry.stats()
    assert stats["sent"] > 0 and set(stats["dropped"]) <= {"internal_error"}


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("no")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    def __bool__(self) -> bool:
        raise RuntimeError("no")

    def __str__(self) -> str:
        raise RuntimeError("no")

    def __float__(self) -> float:
        raise RuntimeError("no")

    __hash__ = object.__hash__


class HostileError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "name",
    [
        "prompt",
        "model",
        "run_id",
        "user_id",
        "span_id",
        "timestamp",
        "status",
        "error",
        "tags",
        "latency_ms",
        "event_id",
        "tokens_input",
        "attributes",
    ],
)
@pytest.mark.parametrize("in_run", [False, True])
def test_hostile_values(name: str, in_run: bool, receiver: Receiver, start: Start) -> None:
    start(receiver.dsn, user_id="u", sample_rate=1.0)
    fields: Dict[str, Any] = {name: Hostile()}
    if in_run:
        with aisentry.run("r"):
            aisentry.log_prompt_call(**fields)
    else:
        aisentry.log_prompt_call(**fields)
    assert aisentry.flush(10)
    assert len([event for event in receiver.taken if event["event_type"] == "prompt_call"]) == 1


def test_hostile_everywhere(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    hostile: Any = Hostile()
    aisentry.log_error(hostile)
    aisentry.log_error(HostileError())
    aisentry.log_tool_call(hostile)
    aisentry.score(hostile, hostile)
    aisentry.log_event(hostile)
    aisentry.set_user(hostile)
    aisentry.set_session(hostile)
    aisentry.set_tags(hostile)
    with aisentry.run(hostile, run_id=hostile, tags=hostile, user_id=hostile) as active:
        active.set(output=hostile)
    aisentry.init(hostile, tags=hostile, sample_rate=hostile)
    aisentry.flush(hostile)
    aisentry.close(hostile)
    assert lifecycle.client is None


def test_callers_objects_stay(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn, tags=["a"])
    fields: Dict[str, Any] = {
        "tags": ["b"],
        "attributes": {"x": [1]},
        "error": {"message": "m"},
        "status": "odd",
    }
    before = repr(fields)
    aisentry.log_prompt_call(**fields)
    aisentry.log_event("prompt_call", **fields)
    assert aisentry.flush(10)
    assert repr(fields) == before
