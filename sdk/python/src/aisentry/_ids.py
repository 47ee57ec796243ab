"""New identities: events sort by time, runs and spans look like OpenTelemetry's."""

from __future__ import annotations

import os
import random

_random = random.Random(os.urandom(32))


def reseed() -> None:
    """A forked child must not repeat its parent's ids."""
    _random.seed(os.urandom(32))


def new_event_id(time_ns: int) -> str:
    """UUIDv7; the 12 bits after the millisecond are its fraction: ids sort within it too."""
    ms, below_ns = divmod(time_ns, 1_000_000)
    tail = _random.getrandbits(62)
    # One format of five numbers: a third of the time that slicing takes, in a call that callers
    # wait for.
    return "%08x-%04x-7%03x-%04x-%012x" % (
        ms >> 16,
        ms & 0xFFFF,
        (below_ns << 12) // 1_000_000,
        0x8000 | tail >> 48,
        tail & 0xFFFFFFFFFFFF,
    )


def new_run_id(time_ns: int) -> str:
    """A UUIDv7 without dashes: 32 hexadecimal digits, also a valid trace id."""
    return new_event_id(time_ns).replace("-", "")


def new_span_id() -> str:
    return f"{_random.getrandbits(64) or 1:016x}"
