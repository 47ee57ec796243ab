"""Which span the program is in, and whom it serves.

A context variable follows the program across await and into tasks; a new thread starts without
it, unless a pool of `concurrent.futures` is asked to carry it, or it is started within
`contextvars.copy_context().run`.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Optional, Tuple

if TYPE_CHECKING:
    from ._model_call import ModelCall
    from ._span import Span


class Who:
    """The end user served. A run has its own: requests that are served at once do not mix."""

    __slots__ = ("session_id", "tags", "user_id")

    def __init__(
        self,
        user_id: Optional[str] = None,
        session_id: Optional[str] = None,
        tags: Tuple[str, ...] = (),
    ) -> None:
        self.user_id = user_id
        self.session_id = session_id
        self.tags = tags


class Scope:
    """A span of a run while its events are being logged."""

    __slots__ = ("__weakref__", "call", "is_left", "run_id", "span", "span_id", "tracestate", "who")

    def __init__(
        self,
        run_id: str,
        span_id: str,
        who: Who,
        tracestate: Optional[str] = None,
        span: Optional[Span] = None,
        call: Optional[ModelCall] = None,
    ) -> None:
        self.run_id = run_id
        self.span_id = span_id
        self.who = who
        # What other tracing systems wrote: passed on as it came.
        self.tracestate = tracestate
        self.span = span
        self.is_left = False
        # A call of a model that is open: a client library beneath may tell more of it.
        self.call = call


current: ContextVar[Optional[Scope]] = ContextVar("aisentry_scope", default=None)


def leave(scope: Scope, outer: Optional[Scope]) -> None:
    """Back to where the scope was entered."""
    # Not a token: a generator may be closed in another context than the one it started in.
    scope.is_left = True
    if current.get() is scope:
        # What was entered in turn may not be left in turn.
        while outer is not None and outer.is_left and outer.span is not None:
            outer = outer.span.place
        current.set(outer)
