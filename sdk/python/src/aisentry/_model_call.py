"""One call of a model while it goes on, as whoever watches it tells of it.

Two layers may see the same call: a framework's hook, and the client library beneath. The outer one
opens it, the inner one, which knows more, fills it in; it is recorded once.
"""

from __future__ import annotations

import os
import threading
import weakref
from contextvars import ContextVar
from typing import Any, Callable, Dict, List, Optional, cast

from ._lifecycle import lifecycle
from ._scope import current
from ._span import Span

# What belongs to the outer layer alone.
_OWN_FIELDS = frozenset({"name", "status", "error", "latency_ms", "timestamp", "attributes"})


# Where else an open call may be found than in the present scope.
elsewhere: List[Callable[[], "Optional[ModelCall]"]] = []
# A call that a layer beneath is about to make in this context, though in no scope of its own. It is
# never taken back, so that it is believed only of an open call of the same model.
expected: ContextVar["Optional[ModelCall]"] = ContextVar("aisentry_expected", default=None)


# The two layers may end in different threads. One lock for all calls: it is held for a moment.
_ends = threading.RLock()


class ModelCall:
    __slots__ = (
        *(
            "__weakref__",
            "_inner",
            "_into",
            "_is_open",
            "_is_taken",
            "_is_told",
            "_waiting",
            "_failure",
        ),
        *("first_ms", "span"),
    )

    def __init__(self, fields: Dict[str, Any], kind: Any = "generation") -> None:
        outer = current.get()
        beneath = [
            outer.call if outer is not None else None,
            *[look() for look in elsewhere],
            _expected(fields),
        ]
        self._into = next((call for call in beneath if call is not None and call.offers()), None)
        self._inner: Dict[str, Any] = {}
        self._is_open = True
        self._is_taken = False
        self._is_told = False
        # Of the layer beneath, whose last attempt failed.
        self._failure: Optional[BaseException] = None
        # Its end, when the layer beneath has not told all that it will.
        self._waiting: Optional[Dict[str, Any]] = None
        self.first_ms: Optional[float] = None
        self.span = Span(fields, kind, self)

    def offers(self) -> bool:
        """Whether this call is still to be filled in by a layer beneath; it is then taken."""
        with _ends:
            if not self._is_open or self._is_taken or self._is_told:
                return False
            self._is_taken = True
            return True

    def enter(self) -> None:
        self.span.enter()

    def leave(self) -> None:
        self.span.leave()

    def first_piece(self) -> None:
        """The first piece of a streamed answer is there."""
        if self.first_ms is None:
            self.first_ms = self.span.elapsed_ms

    def finish(self, fields: Dict[str, Any], error: Optional[BaseException] = None) -> None:
        """Ends it, once; whatever comes later is the same call's second end."""
        span = self.span
        with _ends:
            if not self._is_open:
                return
            self._is_open = False
            if self.first_ms is not None:
                fields.setdefault("time_to_first_token_ms", self.first_ms)
            if self._into is None and self._is_taken and error is None:
                # An answer that is still being read beneath.
                fields.setdefault("latency_ms", span.elapsed_ms)
                self._waiting = fields
                return
        if self._into is not None:
            self._into.fill_in({**span.told(), **fields, **self._inner}, error)
        else:
            self._record(fields, error)

    def _record(self, fields: Dict[str, Any], error: Optional[BaseException]) -> None:
        span = self.span
        attributes: Dict[str, Any] = {
            **_dict_of(span.told().get("attributes")),
            **_dict_of(fields.pop("attributes", None)),
            **_dict_of(self._inner.pop("attributes", None)),
        }
        span.set(**_present(fields))
        span.set(**self._inner)
        if error is None and "status" not in span.told():
            # Not every framework tells that a call of its failed.
            error = self._failure
        if attributes:
            span.set(attributes=attributes)
        span.finish(error)

    def fill_in(self, fields: Dict[str, Any], error: Optional[BaseException]) -> None:
        """What the layer beneath knows. After a failure, its next attempt may tell again."""
        with _ends:
            self._take_over(fields, error)
            waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._record(waiting, error)

    def _take_over(self, fields: Dict[str, Any], error: Optional[BaseException]) -> None:
        attributes: Dict[str, Any] = {
            **_dict_of(self._inner.get("attributes")),
            **_dict_of(fields.get("attributes")),
        }
        if error is not None:
            attributes["failed_attempts"] = attributes.get("failed_attempts", 0) + 1
        known = {name: value for name, value in _present(fields).items() if name not in _OWN_FIELDS}
        self._inner.update(known)
        if attributes:
            self._inner["attributes"] = attributes
        self._is_taken = False
        self._is_told = error is None
        self._failure = error


def _expected(fields: Dict[str, Any]) -> Optional[ModelCall]:
    call = expected.get()
    if call is None:
        return None
    model = call.span.told().get("model_requested")
    return call if model and str(model).endswith(str(fields.get("model_requested"))) else None


def _dict_of(value: Any) -> Dict[str, Any]:
    return cast(Dict[str, Any], value) if isinstance(value, dict) else {}


def _present(fields: Dict[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


class OpenStreams:
    """Answers that are still being read; when the program ends they are recorded as they are."""

    def __init__(self) -> None:
        self._streams: "weakref.WeakSet[Any]" = weakref.WeakSet()

    def add(self, stream: Any) -> None:
        self._streams.add(stream)
        lifecycle.before_close = self.finish

    def finish(self) -> None:
        streams: List[Any] = list(self._streams)
        self._streams.clear()
        for stream in streams:
            stream.abandon()


open_streams = OpenStreams()


def _forked() -> None:
    global _ends
    # Another thread of the parent may have held it.
    _ends = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
