"""A server that is away: memory is flat, and nobody who logs waits."""

from __future__ import annotations

import gc
import time
import tracemalloc
from typing import Any, Dict, List

import pytest
from conftest import Start
from receiver import HANG, Receiver
from watchllm import free_port

import aisentry
from aisentry._limits import SERVERLESS_BATCH_AGE_S, usual_limits

WORDS = [{"role": "user", "content": "x" * 500}]
AWAY: Dict[str, Any] = {"queue_events_max": 150, "retry_delay_s_max": 0.05, "retry_s_max": 60.0}
# For a busy machine; an attempt to reach a server that hangs takes twice as long.
CALL_S_MAX = 5.0
# The events logged meanwhile would take four times as much; the receiver keeps what it was sent.
GROWTH_BYTES_MAX = 600 * 1024


def log_many(count: int) -> float:
    """Logs; answers what the slowest call took."""
    slowest = 0.0
    for number in range(count):
        start = time.perf_counter()
        with aisentry.span("work"):
            aisentry.log_prompt_call(model="m", prompt=WORDS, attributes={"number": number})
        slowest = max(slowest, time.perf_counter() - start)
    return slowest


@pytest.mark.parametrize("how", ["nobody listens", "it hangs"])
def test_memory_is_flat_and_nobody_waits(
    how: str, receiver: Receiver, start: Start, warnings: List[str]
) -> None:
    receiver.script = [HANG] * 1000
    dsn = receiver.dsn if how == "it hangs" else f"http://key@127.0.0.1:{free_port()}/demo"
    start(dsn, AWAY)
    log_many(600)
    gc.collect()
    tracemalloc.start()
    try:
        log_many(150)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        slowest = log_many(1200)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    stats = aisentry.stats()
    # What the queue holds, and the one batch that is on its way.
    assert stats["queued"] <= 250 and stats["dropped"]["queue_full"] >= 3_500
    assert stats["logged"] == 3_900
    assert after - before < GROWTH_BYTES_MAX and slowest < CALL_S_MAX
    assert len(warnings) <= 2


SERVERLESS = ["AWS_LAMBDA_FUNCTION_NAME", "VERCEL", "FUNCTIONS_WORKER_RUNTIME"]


@pytest.mark.parametrize("name", SERVERLESS)
def test_serverless_functions_send_at_once(
    name: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    aisentry.init(receiver.dsn, instrument=False)
    aisentry.log_prompt_call(model="m")
    receiver.wait(lambda seen: len(seen.taken) == 1)
    assert usual_limits().batch_age_s_max == SERVERLESS_BATCH_AGE_S
