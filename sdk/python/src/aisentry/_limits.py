"""Every bound of the SDK. A unit ends each name."""

from __future__ import annotations

import os
from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    # A batch leaves at the first of these.
    batch_events_max: int = 100
    batch_bytes_max: int = 512 * 1024
    batch_age_s_max: float = 1.0
    # What may wait in memory while the server is away.
    queue_events_max: int = 10_000
    queue_bytes_max: int = 32 * MIB
    gzip_bytes_min: int = 1024
    # What the server takes as one event.
    event_bytes_max: int = 8 * MIB
    connect_s_max: float = 5.0
    answer_s_max: float = 10.0
    answer_bytes_max: int = MIB
    # Exponential backoff with full jitter: a random part of first * 2^n, up to the delay's maximum.
    retry_first_s: float = 0.5
    retry_delay_s_max: float = 30.0
    # A server that cannot be reached, or says that it is busy, will take the batch one day: it is
    # given up this long after its first attempt. One that answers with an error may never take it.
    retry_s_max: float = 1800.0
    refused_attempts_max: int = 10
    retry_after_s_max: float = 300.0
    # With a spool, a batch goes to disk this long after its first attempt.
    spool_after_s: float = 15.0
    spool_bytes_max: int = 64 * MIB
    spool_s_max: float = 7 * 24 * 3600.0
    # A claim that is older is of a process that is gone.
    spool_claim_s_max: float = 600.0
    flush_s_max: float = 5.0
    # What the end of a program may wait for the last events.
    exit_s_max: float = 2.0


# Where a process is frozen or ended between requests, which nothing tells it of.
_SERVERLESS = (
    "AWS_LAMBDA_FUNCTION_NAME",
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTION_TARGET",
    "VERCEL",
)
SERVERLESS_BATCH_AGE_S = 0.02


def usual_limits() -> Limits:
    """Those of this machine: in a serverless function a batch does not wait for more."""
    if any(os.environ.get(name) for name in _SERVERLESS):
        return Limits(batch_age_s_max=SERVERLESS_BATCH_AGE_S)
    return Limits()


# Bounds of one event's snapshot, which the caller's thread pays for.
# The server allows 64 levels below a field.
SNAPSHOT_DEPTH_MAX = 60
SNAPSHOT_BYTES_MAX = 4 * MIB
# What a value costs beside its text: an entry of a list or dict in memory.
SNAPSHOT_NODE_BYTES = 96
# What an object that gives its own account costs: it stands for the time that takes.
SNAPSHOT_OBJECT_BYTES = 512
STRING_CHARACTERS_MAX = MIB
REPR_CHARACTERS_MAX = 10_000
KEY_CHARACTERS_MAX = 1_024
STACK_FRAMES_MAX = 50
# Of a generator, the items that are kept as its output.
YIELDED_ITEMS_MAX = 1_000
# Of a streamed answer, the pieces that are kept.
STREAM_PIECES_MAX = 100_000
# Of an answer that is read as bytes, what is kept of it.
BODY_BYTES_MAX = 8 * MIB

# Bounds of the server that an event is fitted to.
LABEL_CHARACTERS_MAX = 1_024
LABELS_MAX = 256
INTEGER_MAX = 2**53 - 1
