"""New identities: events sort by time, runs and spans look like OpenTelemetry's."""

from __future__ import annotations

import os
import random

_random = random.Random(os.urandom(32))


def reseed() -> None:
    """A forked child must not repeat its parent's ids."""
    _random.seed(os.urandom(32))


def new_event_id(time_ns: int) -> str:
    """UUIDv7; the 12 bits after the millisecond are its fraction, so that ids sort within it too."""
    ms, below = divmod(time_ns, 1_000_000)
    fraction = (below << 12) // 1_000_000
    tail = _random.getrandbits(62)
    head = f"{ms & 0xFFFFFFFFFFFF:012x}"
    variant = 0x8000 | tail >> 48
    return f"{head[:8]}-{head[8:]}-7{fraction:03x}-{variant:04x}-{tail & 0xFFFFFFFFFFFF:012x}"


def new_run_id(time_ns: int) -> str:
    """A UUIDv7 without dashes: 32 hexadecimal digits, also a valid trace id."""
    return new_event_id(time_ns).replace("-", "")


def new_span_id() -> str:
    return f"{_random.getrandbits(64) or 1:016x}"
