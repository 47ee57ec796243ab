"""Which run the program is in, and whom it serves.

A context variable follows the program across await and into tasks; a new thread starts without
it, unless it is started within contextvars.copy_context().run.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Optional, Tuple


class Who:
    """The end user served. A run has its own: requests that are served at once do not mix."""

    __slots__ = ("user_id", "session_id", "tags")

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
    """A run, or a run within a run, while its events are being logged."""

    __slots__ = ("run_id", "span_id", "who")

    def __init__(self, run_id: str, span_id: str, who: Who) -> None:
        self.run_id = run_id
        self.span_id = span_id
        self.who = who


current: ContextVar[Optional[Scope]] = ContextVar("aisentry_scope", default=None)
