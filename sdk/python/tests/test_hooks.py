"""before_send and on_drop: what they may do, and what becomes of events when they fail."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import pytest
from conftest import Start
from receiver import Receiver

import aisentry
from aisentry._lifecycle import lifecycle
from aisentry._tally import REASONS


def test_before_send(receiver: Receiver, start: Start) -> None:
    def hook(event: Dict[str, Any]) -> Any:
        if event.get("model") == "secret":
            return None
        event["prompt"] = "[redacted]"
        event["client"]["hostname"] = "elsewhere"
        event["odd"] = {1, 2} and {"set": {1}, "self": event}
        return event

    start(receiver.dsn, before_send=hook)
    aisentry.log_prompt_call(model="secret")
    aisentry.log_prompt_call(model="m", prompt="mine")
    assert aisentry.flush(10)
    (event,) = receiver.taken
    assert event["prompt"] == "[redacted]" and event["client"]["hostname"] == "elsewhere"
    assert event["odd"]["set"] == [1]
    assert aisentry.stats()["dropped"] == {"before_send": 1}
    assert aisentry.stats()["sent"] == 1


@pytest.mark.parametrize("answer", ["text", 5, [], True])
def test_before_send_of_the_wrong_type(
    answer: Any, receiver: Receiver, start: Start, warnings: List[str]
) -> None:
    start(receiver.dsn, before_send=lambda event: answer)
    aisentry.log_prompt_call(prompt="private", model="m")
    assert aisentry.flush(10)
    assert "private" not in str(receiver.taken) and receiver.taken[0]["model"] == "m"
    assert len(warnings) == 1


def test_before_send_that_raises(receiver: Receiver, start: Start, warnings: List[str]) -> None:
    def hook(event: Dict[str, Any]) -> Any:
        raise ValueError("broken hook")

    start(receiver.dsn, before_send=hook)
    aisentry.log_prompt_call(
        prompt="private",
        response="private",
        user_id="private",
        session_id="private",
        tags=["private"],
        attributes={"a": "private"},
        model="m",
        tokens_input=5,
        latency_ms=3,
    )
    aisentry.log_error(ValueError("private"))
    assert aisentry.flush(10)
    failure, call = receiver.taken
    assert "private" not in str(receiver.taken)
    assert call["model"] == "m" and call["tokens_input"] == 5 and call["latency_ms"] == 3
    assert failure["error"] == {"message": "[removed: before_send failed]"}
    assert len(warnings) == 1


def test_hooks_that_call_back(receiver: Receiver, start: Start) -> None:
    """A hook may use the package without harm: no endless event, no deadlock."""
    told: List[Tuple[str, int]] = []

    def hook(event: Dict[str, Any]) -> Any:
        aisentry.log_prompt_call(model="from the hook")
        aisentry.flush(10)
        return event

    def on_drop(reason: str, count: int) -> None:
        told.append((reason, count))
        aisentry.log_prompt_call(model="from on_drop")
        raise RuntimeError("broken hook")

    start(receiver.dsn, before_send=hook, on_drop=on_drop, sample_rate=0)
    aisentry.log_error("kept")
    aisentry.log_prompt_call(model="dropped")
    assert aisentry.flush(10)
    assert [event["event_type"] for event in receiver.taken] == ["error"]
    assert told == [("sampled_out", 1)]


def test_hook_that_closes(receiver: Receiver, start: Start) -> None:
    def hook(event: Dict[str, Any]) -> Any:
        aisentry.close(10)
        return event

    start(receiver.dsn, {"batch_age_s_max": 0.0}, before_send=hook)
    client = lifecycle.client
    assert client is not None
    aisentry.log_error("x")
    receiver.wait(lambda seen: len(seen.taken) == 1)
    assert client.flush(10)


def test_on_drop_reasons_are_known(start: Start) -> None:
    told: List[str] = []
    start(
        "http://k@127.0.0.1:9/p",
        {"retry_s_max": 0.0, "queue_events_max": 5},
        on_drop=lambda reason, count: told.append(reason),
    )
    for _ in range(50):
        aisentry.log_prompt_call(model="m")
    assert aisentry.flush(10)
    assert told and set(told) <= set(REASONS)
