"""A field of the wrong kind is put right or put aside; the event is not lost with it."""

from __future__ import annotations

import datetime
import decimal
from typing import Any, Dict, List, Tuple

import pytest
from conftest import Start
from receiver import Receiver

import aisentry
from aisentry._fields import KINDS
from aisentry._fit import MISFIT, fit

CASES: List[Tuple[str, Any, Any]] = [
    ("model", "gpt-4o", "gpt-4o"),
    ("model", 4, "4"),
    ("model", True, MISFIT),
    ("model", {"name": "m"}, MISFIT),
    ("model", "m" * 2000, "m" * 1023 + "\u2026"),
    ("user_id", 7, "7"),
    ("user_id", "u" * 500, "u" * 500),
    ("user_id", ["u"], MISFIT),
    ("stack_trace", "s" * 5000, "s" * 5000),
    ("tokens_input", 7, 7),
    ("tokens_input", 7.0, 7),
    ("tokens_input", 7.5, MISFIT),
    ("tokens_input", -1, MISFIT),
    ("tokens_input", True, MISFIT),
    ("tokens_input", "7", MISFIT),
    ("tokens_input", 2**53, MISFIT),
    ("latency_ms", 1.5, 1.5),
    ("latency_ms", "1.5", 1.5),
    ("latency_ms", "12 ms", MISFIT),
    ("latency_ms", -0.5, MISFIT),
    ("latency_ms", "inf", MISFIT),
    ("latency_ms", True, MISFIT),
    ("threshold", -3, -3),
    ("confidence_score", 1, 1),
    ("confidence_score", 1.1, MISFIT),
    ("tags", ["a", 1, None], ["a", "1", "None"]),
    ("tags", "one", ["one"]),
    ("tags", {"a": 1}, MISFIT),
    ("status", "timeout", "timeout"),
    ("status", "ok", MISFIT),
    ("status", 1, MISFIT),
    ("event_type", "made_up", "made_up"),
    ("step_type", "output", "output"),
    ("error", "bad", "bad"),
    ("error", {"message": "bad"}, {"message": "bad"}),
    ("error", 5, MISFIT),
    ("attributes", "text", MISFIT),
    ("tool_calls", [{}], [{}]),
    ("tool_calls", {"id": 1}, [{"id": 1}]),
    ("timestamp", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ("timestamp", 5, MISFIT),
]


@pytest.mark.parametrize("name,value,expected", CASES)
def test_fit(name: str, value: Any, expected: Any) -> None:
    fitted = fit(name, KINDS[name], value)
    if expected is MISFIT:
        assert fitted is MISFIT
    else:
        assert fitted == expected and type(fitted) is type(expected)


SENT: List[Tuple[str, Dict[str, Any], Dict[str, Any]]] = [
    ("kept aside", {"latency_ms": "slow"}, {"attributes": {"latency_ms": "slow"}}),
    (
        "beside what is there",
        {"status": "ok", "attributes": {"a": 1}},
        {"attributes": {"a": 1, "status": "ok"}},
    ),
    (
        "what is there stays",
        {"status": "ok", "attributes": {"status": "mine"}},
        {"attributes": {"status": "mine"}},
    ),
    ("decimal", {"cost_reported_usd": decimal.Decimal("0.0125")}, {"cost_reported_usd": 0.0125}),
    ("fine decimal", {"latency_ms": decimal.Decimal(1) / 3}, {"latency_ms": 1 / 3}),
    ("not a number", {"latency_ms": float("nan")}, {}),
    ("none", {"release": None, "model": None}, {"release": "1.0"}),
    ("empty id", {"user_id": "", "event_id": ""}, {"user_id": "u"}),
    ("unknown", {"made_up": {"a": 1}}, {"made_up": {"a": 1}}),
    ("tags join", {"tags": ("b", "a")}, {"tags": ["a", "b"]}),
    ("error text", {"error": "bad"}, {"error": "bad"}),
    ("error of any kind", {"error": 404}, {"error": "404"}),
    ("seconds", {"timestamp": 1767225600.25}, {"timestamp": "2026-01-01T00:00:00.250000Z"}),
    (
        "datetime",
        {"timestamp": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)},
        {"timestamp": "2026-01-01T00:00:00+00:00"},
    ),
    ("impossible time", {"timestamp": 1e300}, {"attributes": {"timestamp": 1e300}}),
]


@pytest.mark.parametrize(
    "fields,expected", [case[1:] for case in SENT], ids=[case[0] for case in SENT]
)
def test_sent(
    fields: Dict[str, Any],
    expected: Dict[str, Any],
    receiver: Receiver,
    start: Start,
    warnings: List[str],
) -> None:
    start(receiver.dsn, release="1.0", user_id="u", tags=["a"])
    aisentry.log_prompt_call(**fields)
    assert aisentry.flush(10)
    event = receiver.taken[0]
    always = {
        "user_id": "u",
        "release": "1.0",
        "tags": ["a"],
        "project_id": "demo",
        "event_type": "prompt_call",
    }
    ours = {name: event.pop(name) for name in ("event_id", "client")}
    if "timestamp" not in fields:
        ours["timestamp"] = event.pop("timestamp")
    assert event == {**always, **expected}
    assert len(ours["event_id"]) == 36
    assert set(ours["client"]) == {"hostname", "sdk_version", "platform"}


def test_started(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    before = datetime.datetime.now(datetime.timezone.utc)
    aisentry.log_prompt_call(latency_ms=60_000)
    assert aisentry.flush(10)
    started = datetime.datetime.fromisoformat(receiver.taken[0]["timestamp"].replace("Z", "+00:00"))
    assert abs((before - started).total_seconds() - 60) < 5


def test_one_warning_a_field(receiver: Receiver, start: Start, warnings: List[str]) -> None:
    start(receiver.dsn)
    for _ in range(5):
        aisentry.log_prompt_call(status="fine", tokens_input=-1)  # type: ignore[arg-type]
    assert aisentry.flush(10)
    assert sorted(warning.split()[1] for warning in warnings) == ["status", "tokens_input"]
