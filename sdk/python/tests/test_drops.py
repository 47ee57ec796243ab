"""Drops are counted by reason, and the server is told of them once."""

from __future__ import annotations

from typing import Any, Dict, List

from conftest import Start
from receiver import Answer, Receiver, problem

import aisentry

HEADER = "x-aisentry-drops"


def told(receiver: Receiver) -> List[Any]:
    return [request.headers.get(HEADER) for request in receiver.requests]


def test_told_with_the_next_batch(receiver: Receiver, start: Start) -> None:
    def hook(event: Dict[str, Any]) -> Any:
        return None if event["model"] == "bad" else event

    receiver.script = [None, Answer(503), None]
    start(receiver.dsn, before_send=hook)
    for model in ("bad", "bad", "good"):
        aisentry.log_prompt_call(model=model)
    assert aisentry.flush(10)
    aisentry.log_prompt_call(model="bad")
    aisentry.log_prompt_call(model="good")
    assert aisentry.flush(10)
    aisentry.log_prompt_call(model="good")
    assert aisentry.flush(10)
    # What was not taken is told again, with the same count.
    assert told(receiver) == ["before_send=2", "before_send=1", "before_send=1", None]


def test_what_the_server_said_itself_is_not_told(receiver: Receiver, start: Start) -> None:
    receiver.script = [problem(400, "no")]
    start(receiver.dsn)
    for _ in range(2):
        aisentry.log_prompt_call(model="m")
        assert aisentry.flush(10)
    assert told(receiver) == [None, None]
    assert aisentry.stats()["dropped"] == {"rejected": 1}


def test_a_wrong_key_stops_and_goes_on_counting(
    receiver: Receiver, start: Start, warnings: List[str]
) -> None:
    receiver.script = [problem(401, "no such key")]
    start(receiver.dsn)
    aisentry.log_prompt_call(model="m")
    assert aisentry.flush(10)
    for _ in range(5):
        assert aisentry.log_prompt_call(model="m") is None
    assert aisentry.flush(10)
    assert len(receiver.requests) == 1 and len(warnings) == 1
    assert aisentry.stats()["dropped"] == {"unauthorized": 6}
