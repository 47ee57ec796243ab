"""The queue: bounds, order of dropping, waiting."""

from __future__ import annotations

import threading
import time
from typing import List, Tuple

import pytest

from aisentry._limits import Limits
from aisentry._queue import Queue

SMALL = Limits(batch_events_max=4, batch_bytes_max=100, queue_events_max=6, queue_bytes_max=200)

# Items as (name, bytes, failure?); what is dropped in all; what is left, in the order of leaving.
DROPS: List[Tuple[str, List[Tuple[str, int, bool]], int, List[str]]] = [
    ("room for all", [("a", 1, False), ("b", 1, True)], 0, ["b", "a"]),
    (
        "count: the oldest goes",
        [(str(n), 1, False) for n in range(8)],
        2,
        ["2", "3", "4", "5", "6", "7"],
    ),
    ("bytes: the oldest go", [("a", 90, False), ("b", 90, False), ("c", 150, False)], 2, ["c"]),
    (
        "a failure outlives others",
        [("bad", 1, True)] + [(str(n), 1, False) for n in range(6)],
        1,
        ["bad", "1", "2", "3", "4", "5"],
    ),
    ("failures only", [(str(n), 1, True) for n in range(7)], 1, ["1", "2", "3", "4", "5", "6"]),
    (
        "a success does not push out a failure",
        [(str(n), 1, True) for n in range(6)] + [("ok", 1, False)],
        1,
        list("012345"),
    ),
    ("larger than the queue", [("huge", 201, True)], 1, []),
]


@pytest.mark.parametrize(
    "items,dropped,left", [case[1:] for case in DROPS], ids=[case[0] for case in DROPS]
)
def test_drops(items: List[Tuple[str, int, bool]], dropped: int, left: List[str]) -> None:
    queue: Queue[str] = Queue(SMALL)
    assert sum(queue.put(*item) for item in items) == dropped
    assert len(queue) == len(left)
    queue.close()
    out: List[str] = []
    while True:
        batch = queue.take()
        if batch is None:
            break
        assert 0 < len(batch) <= SMALL.batch_events_max
        out += batch
        queue.settle()
    assert out == left and len(queue) == 0


def test_closed_takes_nothing() -> None:
    queue: Queue[str] = Queue(SMALL)
    queue.close()
    assert queue.put("late", 1, True) == 1 and queue.take() is None


def test_a_full_batch_leaves_at_once_and_a_small_one_with_age() -> None:
    queue: Queue[int] = Queue(Limits(batch_events_max=3, batch_age_s_max=0.05))
    for number in range(4):
        queue.put(number, 1, False)
    assert queue.take() == [0, 1, 2]
    queue.settle()
    start = time.monotonic()
    assert queue.take() == [3]
    assert time.monotonic() - start > 0.03


def test_bytes_fill_a_batch() -> None:
    queue: Queue[int] = Queue(Limits(batch_bytes_max=10, batch_age_s_max=100))
    queue.put(1, 6, False)
    queue.put(2, 6, False)
    assert queue.take() == [1, 2]


def test_flush_waits_for_what_was_there_and_no_more() -> None:
    queue: Queue[int] = Queue(Limits(batch_events_max=2, batch_age_s_max=100))
    for number in range(3):
        queue.put(number, 1, number == 2)
    flushed: List[bool] = []
    thread = threading.Thread(target=lambda: flushed.append(queue.flush(10)))
    thread.start()
    # The failure first; the last of the three is still there, though more come in after the flush.
    assert queue.take() == [2, 0]
    queue.put(3, 1, False)
    queue.settle()
    assert queue.take() == [1, 3]
    assert thread.is_alive()
    queue.put(4, 1, False)
    queue.settle()
    thread.join(10)
    assert flushed == [True] and len(queue) == 1


def test_flush_gives_up() -> None:
    queue: Queue[int] = Queue(Limits())
    assert queue.flush(0)
    queue.put(1, 1, False)
    start = time.monotonic()
    assert not queue.flush(0.05)
    assert time.monotonic() - start < 5


def test_logging_within_the_lock() -> None:
    """A signal handler or a destructor may log while its own thread is in the queue."""
    queue: Queue[object] = Queue(Limits(queue_events_max=1))

    class Last:
        def __del__(self) -> None:
            queue.put("from a destructor", 1, True)

    queue.put(Last(), 1, False)
    queue.put("x", 1, True)
    assert len(queue) >= 1


def test_many_threads() -> None:
    queue: Queue[int] = Queue(Limits(batch_age_s_max=0.001))
    out: List[int] = []

    def drain() -> None:
        while True:
            batch = queue.take()
            if batch is None:
                return
            out.extend(batch)
            queue.settle()

    def fill(base: int) -> None:
        for number in range(500):
            assert queue.put(base + number, 10, number % 7 == 0) == 0

    worker = threading.Thread(target=drain)
    worker.start()
    threads = [threading.Thread(target=fill, args=(base * 1000,)) for base in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert queue.flush(20)
    queue.close()
    worker.join(20)
    assert sorted(out) == sorted(base * 1000 + number for base in range(8) for number in range(500))
