"""W3C trace context: what goes out comes in again, and nonsense is no parent."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Start
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from receiver import Receiver

import aisentry
from aisentry._scope import Scope, Who
from aisentry._trace_context import headers_of, ids_of

# On a machine with other things to do, an example may take its time.
BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

IDS = st.text(min_size=1, max_size=128)
HEX = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


@BUSY
@given(st.one_of(IDS, st.just(HEX)), st.one_of(IDS, st.just(SPAN)))
def test_out_and_in(run_id: str, span_id: str) -> None:
    try:
        run_id.encode("utf-8"), span_id.encode("utf-8")
    except UnicodeEncodeError:
        return
    headers = headers_of(Scope(run_id, span_id, Who()))
    assert all(value.isascii() and "\n" not in value for value in headers.values())
    assert ids_of(headers) == {"run_id": run_id, "parent_span_id": span_id}


@BUSY
@given(st.text())
def test_nonsense(text: str) -> None:
    ids_of({"traceparent": text, "baggage": text, "tracestate": text})


CARRIERS: Any = [
    {"traceparent": f"00-{HEX}-{SPAN}-01"},
    {"TraceParent": f" 00-{HEX}-{SPAN}-00 "},
    {"HTTP_TRACEPARENT": f"00-{HEX}-{SPAN}-01"},
    [(b"traceparent", f"00-{HEX}-{SPAN}-01".encode())],
    {"traceparent": f"01-{HEX}-{SPAN}-01-later"},
]
NONE: Any = [
    {},
    None,
    [],
    5,
    {"traceparent": f"ff-{HEX}-{SPAN}-01"},
    {"traceparent": f"00-{HEX}-{SPAN}-01-more"},
    {"traceparent": f"00-{'0' * 32}-{SPAN}-01"},
    {"traceparent": f"00-{HEX}-{'0' * 16}-01"},
    {"traceparent": None},
]


@pytest.mark.parametrize("headers", CARRIERS)
def test_carriers(headers: Any) -> None:
    assert aisentry.extract(headers) == {"run_id": HEX, "parent_span_id": SPAN}


@pytest.mark.parametrize("headers", NONE)
def test_no_parent(headers: Any) -> None:
    assert aisentry.extract(headers) == {}


def test_what_others_wrote_is_passed_on(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    headers = {"traceparent": f"00-{HEX}-{SPAN}-01", "tracestate": "vendor=1"}
    with aisentry.span("handle", **aisentry.extract(headers)):
        with aisentry.span("inner", run_id=HEX) as inner:
            sent = aisentry.inject({"baggage": "theirs=1"})
    assert sent["tracestate"] == "vendor=1" and sent["baggage"] == "theirs=1"
    assert sent["traceparent"] == f"00-{HEX}-{inner.span_id}-01"
    assert aisentry.inject() == {}


def test_an_opentelemetry_span_is_the_parent(
    receiver: Receiver, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Context:
        trace_id, span_id, is_valid = int(HEX, 16), int(SPAN, 16), True

    class Api:
        @staticmethod
        def get_current_span() -> Any:
            return type("Span", (), {"get_span_context": staticmethod(lambda: Context)})

    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.trace", Api)
    start(receiver.dsn)
    with aisentry.span("within"):
        pass
    assert aisentry.flush(10)
    (event,) = receiver.taken
    assert (event["run_id"], event["parent_span_id"]) == (HEX, SPAN)
