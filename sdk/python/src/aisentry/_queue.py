"""What waits between the callers' threads and the worker's, bounded by count and by bytes.

Two lanes: when there is no room, the oldest event that is not a failure goes first. The lock may
be taken again by the thread that holds it, so that a signal handler or a destructor may log in
the middle of a call.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Deque, Generic, List, Optional, Tuple, TypeVar

from ._limits import Limits

Item = TypeVar("Item")
# Place in the order of arrival, bytes, item.
_Entry = Tuple[int, int, Item]


class Queue(Generic[Item]):
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.RLock()
        self._arrived = threading.Condition(self._lock)
        self._settled = threading.Condition(self._lock)
        self._failures: Deque[_Entry[Item]] = deque()
        self._others: Deque[_Entry[Item]] = deque()
        self._bytes = 0
        # Arrivals so far, and the place up to which a flush wants everything settled.
        self._count = 0
        self._wanted = 0
        # What the worker has taken and not yet settled.
        self._taken: List[_Entry[Item]] = []
        self._oldest_at = 0.0
        self._worker_waits = False
        self._closed = False

    def __len__(self) -> int:
        """Events that are neither delivered nor dropped."""
        return len(self._failures) + len(self._others) + len(self._taken)

    def put(self, item: Item, size: int, is_failure: bool) -> int:
        """Takes an item in; answers how many were dropped for it (the new one, if without room)."""
        limits = self._limits
        dropped = 0
        with self._lock:
            if self._closed or size > limits.queue_bytes_max:
                return 1
            waiting = len(self._failures) + len(self._others)
            while waiting >= limits.queue_events_max or self._bytes + size > limits.queue_bytes_max:
                if not self._others and not is_failure:
                    return dropped + 1
                self._bytes -= (self._others or self._failures).popleft()[1]
                waiting -= 1
                dropped += 1
            if waiting == 0:
                self._oldest_at = time.monotonic()
            self._count += 1
            (self._failures if is_failure else self._others).append((self._count, size, item))
            self._bytes += size
            # Waking a thread costs more than all else here: once for the first, once for a full
            # batch.
            if self._worker_waits and (waiting == 0 or self._is_full()):
                self._worker_waits = False
                self._arrived.notify()
        return dropped

    def take(self) -> Optional[List[Item]]:
        """Waits for a batch that is full, old or wanted by a flush; None when closed and empty."""
        with self._lock:
            while True:
                waiting = len(self._failures) + len(self._others)
                if waiting == 0 and self._closed:
                    return None
                age_left: Optional[float] = None
                if waiting > 0:
                    age_left = self._oldest_at + self._limits.batch_age_s_max - time.monotonic()
                    if age_left <= 0 or self._closed or self._is_full() or self._is_wanted():
                        return self._pop_batch()
                self._worker_waits = True
                self._arrived.wait(age_left)
                self._worker_waits = False

    def take_now(self) -> Optional[List[Item]]:
        """A batch without waiting; None when there is nothing."""
        with self._lock:
            return self._pop_batch() or None

    def settle(self) -> None:
        """The batch that was taken last is delivered or dropped."""
        with self._lock:
            self._taken = []
            self._settled.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Waits until all that arrived before is settled; False when the time is up first."""
        deadline = time.monotonic() + timeout_s
        with self._lock:
            target = self._count
            self._wanted = max(self._wanted, target)
            self._arrived.notify()
            while self._oldest() <= target:
                left = deadline - time.monotonic()
                if left <= 0 or not self._settled.wait(left):
                    return self._oldest() > target
            return True

    def close(self) -> None:
        """Nothing more is taken in; the worker gets what is left, then None."""
        with self._lock:
            self._closed = True
            self._arrived.notify()

    def clear(self) -> List[Item]:
        """Takes out what waits, but not what the worker has taken."""
        with self._lock:
            left = [entry[2] for entry in (*self._failures, *self._others)]
            self._failures.clear()
            self._others.clear()
            self._bytes = 0
            self._settled.notify_all()
            return left

    def _is_full(self) -> bool:
        limits = self._limits
        waiting = len(self._failures) + len(self._others)
        return waiting >= limits.batch_events_max or self._bytes >= limits.batch_bytes_max

    def _is_wanted(self) -> bool:
        return self._oldest() <= self._wanted

    def _oldest(self) -> float:
        heads = [lane[0][0] for lane in (self._failures, self._others, self._taken) if lane]
        return min(heads, default=float("inf"))

    def _pop_batch(self) -> List[Item]:
        batch: List[_Entry[Item]] = []
        size = 0
        while len(batch) < self._limits.batch_events_max and size < self._limits.batch_bytes_max:
            lane = self._failures or self._others
            if not lane:
                break
            entry = lane.popleft()
            batch.append(entry)
            size += entry[1]
        self._bytes -= size
        self._oldest_at = time.monotonic()
        self._taken = sorted(batch, key=lambda entry: entry[0])
        return [entry[2] for entry in batch]
