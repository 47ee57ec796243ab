"""What became of the events: sent, or dropped for a reason of a closed list."""

from __future__ import annotations

import threading
from typing import Callable, Dict, Optional, TypedDict

# queue_full: no room while the server was away. sampled_out: left out by a sample rate, here or
# at the server. before_send: the hook returned None. rejected: the server refused the event, or
# the address is wrong. too_large: more than the server takes as one event. unauthorized: the key
# is wrong. send_failed: the server was away for too long. closed: logged after close(), or still
# waiting when its time was up. internal_error: a bug of the SDK.
REASONS = (
    "queue_full",
    "sampled_out",
    "before_send",
    "rejected",
    "too_large",
    "unauthorized",
    "send_failed",
    "closed",
    "internal_error",
)

OnDrop = Callable[[str, int], object]


class Stats(TypedDict):
    """Counts since init(): logged = sent + queued + spooled + all that were dropped."""

    logged: int
    sent: int
    queued: int
    spooled: int
    dropped: Dict[str, int]


class Tally:
    def __init__(self, on_drop: Optional[OnDrop]) -> None:
        self._lock = threading.RLock()
        self._on_drop = on_drop
        self._telling = threading.local()
        self.sent = 0
        # On disk, to be sent another time.
        self.spooled = 0
        # Of the dropped, what the server knows: it said so itself, or was told.
        self._known: Dict[str, int] = {}
        self.dropped: Dict[str, int] = {}

    def add_sent(self, count: int) -> None:
        with self._lock:
            self.sent += count

    def add_spooled(self, count: int) -> None:
        with self._lock:
            self.spooled += count

    def unreported(self) -> Dict[str, int]:
        """What was dropped, by reason, that the server has not been told."""
        with self._lock:
            left = {
                reason: count - self._known.get(reason, 0) for reason, count in self.dropped.items()
            }
            return {reason: count for reason, count in left.items() if count > 0}

    def reported(self, counts: Dict[str, int]) -> None:
        with self._lock:
            for reason, count in counts.items():
                self._known[reason] = self._known.get(reason, 0) + count

    def drop(self, reason: str, count: int = 1, server_knows: bool = False) -> None:
        if count <= 0:
            return
        with self._lock:
            self.dropped[reason] = self.dropped.get(reason, 0) + count
            if server_knows:
                self._known[reason] = self._known.get(reason, 0) + count
        if self._on_drop is None or getattr(self._telling, "now", False):
            return
        # A hook that logs could drop, and be told, for ever.
        self._telling.now = True
        try:
            self._on_drop(reason, count)
        except Exception:
            pass
        finally:
            self._telling.now = False

    def stats(self, queued: int) -> Stats:
        with self._lock:
            dropped = dict(self.dropped)
            logged = self.sent + queued + self.spooled + sum(dropped.values())
            return {
                "logged": logged,
                "sent": self.sent,
                "queued": queued,
                "spooled": self.spooled,
                "dropped": dropped,
            }
