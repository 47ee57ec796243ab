"""What came back from the server; the worker loads what makes it come back only when it sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Answer:
    status: int
    # Seconds that the server wants us to wait; None when it does not say.
    retry_after_s: Optional[float]
    body: bytes
    location: Optional[str]


@dataclass(frozen=True)
class NoAnswer:
    """Refused, reset, hung, or not HTTP."""

    cause: str
    timed_out: bool = False
