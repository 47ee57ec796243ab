"""A model call that two layers see: one event, whichever ends first, and in whatever thread."""

from __future__ import annotations

import itertools
import threading
from typing import Any, Dict, List

import pytest
from conftest import Start
from receiver import Receiver

import aisentry
from aisentry._model_call import ModelCall, expected

OUTER = {"name": "framework", "model": "m", "model_requested": "m", "prompt": "theirs"}
INNER = {"name": "library", "model_requested": "m", "prompt": "exact"}
TOLD = {"response": "answer", "tokens_input": 7, "tokens_output": 3}


def recorded(receiver: Receiver) -> List[Dict[str, Any]]:
    assert aisentry.flush(10)
    return sorted(receiver.taken, key=lambda event: str(event["name"]))


@pytest.mark.parametrize("inner_is_first", [True, False])
def test_one_event(inner_is_first: bool, receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    outer = ModelCall(dict(OUTER))
    outer.enter()
    inner = ModelCall(dict(INNER))
    outer.leave()
    ends = [lambda: inner.finish(dict(TOLD)), lambda: outer.finish({"response": "shorter"})]
    for end in ends if inner_is_first else reversed(ends):
        end()
        end()
    (event,) = recorded(receiver)
    assert event["name"] == "framework" and event["prompt"] == "exact"
    assert event["response"] == "answer" and event["tokens_input"] == 7


def test_attempts(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    outer = ModelCall(dict(OUTER))
    outer.enter()
    ModelCall(dict(INNER)).finish({}, ValueError("busy"))
    ModelCall(dict(INNER)).finish(dict(TOLD))
    ModelCall(dict(INNER)).finish({"response": "another one"})
    outer.leave()
    outer.finish({})
    first, second = recorded(receiver)
    assert first["attributes"] == {"failed_attempts": 1} and first["response"] == "answer"
    assert "status" not in first
    assert second["name"] == "library" and second["parent_span_id"] == first["span_id"]


def test_a_failure_that_the_outer_one_does_not_tell(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    outer = ModelCall(dict(OUTER))
    outer.enter()
    ModelCall(dict(INNER)).finish({}, ValueError("busy"))
    outer.leave()
    outer.finish({})
    (event,) = recorded(receiver)
    assert event["status"] == "error" and event["error"]["message"] == "busy"


def test_three_layers(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    calls = []
    for name in ("a", "b", "c"):
        calls.append(ModelCall({**OUTER, "name": name}))
        calls[-1].enter()
    calls[2].finish(dict(TOLD))
    calls[1].finish({"model_version": "1"})
    calls[0].finish({})
    (event,) = recorded(receiver)
    assert event["name"] == "a" and event["tokens_output"] == 3 and event["model_version"] == "1"


def test_expected_only_of_the_same_model(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    outer = ModelCall(dict(OUTER))
    expected.set(outer)
    ModelCall({**INNER, "model_requested": "other"}).finish(dict(TOLD))
    ModelCall(dict(INNER)).finish(dict(TOLD))
    outer.finish({})
    ModelCall(dict(INNER)).finish(dict(TOLD))
    names = [event["name"] for event in recorded(receiver)]
    assert names == ["framework", "library", "library"]
    expected.set(None)


def test_ends_in_two_threads(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    rounds = 300
    for _ in range(rounds):
        outer = ModelCall(dict(OUTER))
        outer.enter()
        inner = ModelCall(dict(INNER))
        outer.leave()
        gate = threading.Barrier(2)

        def end(call: ModelCall, gate: threading.Barrier = gate) -> None:
            gate.wait()
            call.finish(dict(TOLD))

        threads = [threading.Thread(target=end, args=(call,)) for call in (outer, inner)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    events = recorded(receiver)
    assert len(events) == rounds and {event["name"] for event in events} == {"framework"}


KINDS = ["agent", "chain", "embedding", "evaluator", "event", "guardrail", "retrieval", "span"]


@pytest.mark.parametrize("kind,fields", itertools.product(KINDS, [{}, {"attributes": {"a": 1}}]))
def test_kinds(kind: Any, fields: Dict[str, Any], receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    with aisentry.span("s", kind=kind, input=1, **fields):
        pass
    (event,) = recorded(receiver)
    told = fields.get("attributes", {})
    if kind == "agent":
        assert event["event_type"] == "agent_step" and event["input_data"] == 1
    else:
        assert event["event_type"] == "span" and event["input"] == 1
        told = told if kind == "span" else {"kind": kind, **told}
    assert event.get("attributes", {}) == told
