"""A span: what is logged inside belongs to it, and it is itself recorded, with its duration.

The outermost one starts a run. Its kind says which event it becomes: a `tool` is a tool_call, a
`generation` a prompt_call, an `agent` an agent_step, anything else a span.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Dict, List, Optional, cast

from ._ids import new_run_id, new_span_id
from ._lifecycle import lifecycle
from ._limits import YIELDED_ITEMS_MAX
from ._scope import Scope, Who, current, leave
from ._settings import tags_of, text_of
from ._snapshot import freeze

if TYPE_CHECKING:
    from ._fields import SpanKind
    from ._model_call import ModelCall


class Span:
    """What `with span(...)` gives: its ids, and a place for what becomes known on the way."""

    __slots__ = ("_fields", "_items", "_kind", "_start", "_start_ns", "outer", "place", "scope")

    def __init__(
        self, fields: Dict[str, Any], kind: SpanKind = "span", call: Optional[ModelCall] = None
    ) -> None:
        outer = current.get()
        self._fields = fields
        self._kind = kind
        self._items: Optional[List[Any]] = None
        self.outer = outer
        # Where the program goes on when it leaves the span.
        self.place = outer
        self._start_ns = time.time_ns()
        self._start = time.perf_counter()
        run_id = text_of(fields.pop("run_id", None))
        if run_id is None:
            run_id = self._new_run() if outer is None else outer.run_id
        elif outer is not None and outer.run_id != run_id:
            outer = None
        span_id = text_of(fields.pop("span_id", None)) or new_span_id()
        tracestate = fields.pop("tracestate", None) or (outer.tracestate if outer else None)
        self.scope = Scope(
            run_id, span_id, _who(fields, self.outer, run_id), tracestate, self, call
        )

    def _new_run(self) -> str:
        if "opentelemetry.trace" not in sys.modules:
            return new_run_id(self._start_ns)
        from ._trace_context import opentelemetry_ids

        theirs = opentelemetry_ids()
        if theirs is None:
            return new_run_id(self._start_ns)
        self._fields.setdefault("parent_span_id", theirs[1])
        return theirs[0]

    @property
    def run_id(self) -> str:
        return self.scope.run_id

    @property
    def span_id(self) -> str:
        """Parent of what is logged inside."""
        return self.scope.span_id

    @property
    def elapsed_ms(self) -> float:
        return (time.perf_counter() - self._start) * 1000

    def set(self, **fields: Any) -> None:
        """Adds fields to the span's own event: `set(output=answer)`."""
        self._fields.update(fields)

    def told(self) -> Dict[str, Any]:
        """What is known of it so far."""
        return self._fields

    def given(self, values: Dict[str, Any]) -> None:
        """What a function was called with, as it is now: it may change what it was given."""
        try:
            self._fields.setdefault("input", freeze({"input": values})[0]["input"])
        except Exception:
            pass

    def returned(self, value: Any) -> None:
        if value is not None and self._items is None:
            self._fields.setdefault("output", value)

    def yielded(self, item: Any) -> None:
        """One item of a generator whose output is captured."""
        items = self._items
        if items is not None and len(items) < YIELDED_ITEMS_MAX:
            items.append(item)

    def capture_items(self) -> None:
        self._items = []

    def back_to(self, place: Optional[Scope]) -> None:
        """Leaving the span is going there, which is not where its parent is."""
        self.place = place

    def enter(self) -> None:
        self.scope.is_left = False
        current.set(self.scope)

    def leave(self) -> None:
        leave(self.scope, self.place)

    def finish(self, error: Optional[BaseException]) -> None:
        """Records the span."""
        client = lifecycle.client
        if client is None:
            return
        latency_ms = (time.perf_counter() - self._start) * 1000
        fields: Dict[str, Any] = {
            "run_id": self.run_id,
            "span_id": self.span_id,
            "timestamp": self._start_ns / 1e9,
            "latency_ms": latency_ms,
        }
        outer, who = self.outer, self.scope.who
        if outer is not None and outer.run_id == self.run_id:
            fields["parent_span_id"] = outer.span_id
        fields.update(user_id=who.user_id, session_id=who.session_id)
        if error is not None:
            fields.update(outcome(error))
        if self._items:
            fields["output"] = _together(self._items)
        fields.update(self._fields)
        client.log(_shape(self._kind, fields), fields, who)


def _together(items: List[Any]) -> Any:
    """Pieces of text are read as one; anything else as a list."""
    return "".join(items) if all(type(item) is str for item in items) else items


def _shape(kind: str, fields: Dict[str, Any]) -> str:
    """Moves what every span has to where events of this kind have it; answers their type."""
    if kind == "tool":
        fields.setdefault("tool_name", fields.get("name"))
        return "tool_call"
    if kind == "generation":
        _move(fields, "input", "prompt")
        _move(fields, "output", "response")
        return "prompt_call"
    if kind == "agent":
        _move(fields, "input", "input_data")
        _move(fields, "output", "output_data")
        fields.setdefault("step_name", fields.get("name"))
        return "agent_step"
    if kind != "span":
        attributes: Any = fields.get("attributes")
        theirs = cast(Dict[str, Any], attributes) if isinstance(attributes, dict) else {}
        fields["attributes"] = {"kind": kind, **theirs}
    return "span"


def _move(fields: Dict[str, Any], source: str, target: str) -> None:
    if source in fields:
        fields.setdefault(target, fields.pop(source))


def _who(fields: Dict[str, Any], outer: Optional[Scope], run_id: str) -> Who:
    user_id = text_of(fields.pop("user_id", None))
    session_id = text_of(fields.pop("session_id", None))
    given_tags = fields.pop("tags", None)
    tags = () if given_tags is None else tags_of(given_tags)
    client = lifecycle.client
    inherited = outer.who if outer is not None else client.who if client is not None else Who()
    if (
        outer is not None
        and outer.run_id == run_id
        and user_id is None
        and session_id is None
        and not tags
    ):
        return inherited  # What is set further down the same run is set for all of it.
    return Who(
        user_id or inherited.user_id,
        session_id or inherited.session_id,
        tuple(dict.fromkeys((*inherited.tags, *tags))) if tags else inherited.tags,
    )


def outcome(error: BaseException) -> Dict[str, Any]:
    """How a span that raised is recorded."""
    if isinstance(error, (GeneratorExit, StopIteration, StopAsyncIteration)):
        return {}  # A consumer that stops early is no failure.
    if isinstance(error, SystemExit) and error.code in (None, 0):
        return {}
    # Only a program that has loaded asyncio can raise its errors; loading it takes long.
    kinds: Any = sys.modules.get("asyncio.exceptions")
    if isinstance(error, KeyboardInterrupt) or kinds and isinstance(error, kinds.CancelledError):
        return {"error": error, "status": "warning"}
    if isinstance(error, TimeoutError) or kinds and isinstance(error, kinds.TimeoutError):
        return {"error": error, "status": "timeout"}
    # The client libraries' own time limits: openai.APITimeoutError, httpx.ReadTimeout.
    if "Timeout" in type(error).__name__:
        return {"error": error, "status": "timeout"}
    return {"error": error, "status": "error"}
