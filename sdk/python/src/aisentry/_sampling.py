"""Which events are kept: all of a run or none of it, the same at every process and at the server.

An event is kept when its status is not "success", or when

    crc32(utf-8 of run_id) / 2^32 < sample_rate

with the usual CRC-32 (IEEE, `zlib.crc32`); an event without a run is its own run, so that its
event_id takes the run's place. The server samples by the same rule: two rates keep the smaller
share of runs, never half of a run.
"""

from __future__ import annotations

import re
import zlib
from typing import Mapping

_SURROGATES = re.compile("[\ud800-\udfff]")


def well_formed(text: str) -> str:
    """Lone surrogates have no UTF-8: each becomes U+FFFD."""
    return _SURROGATES.sub("\ufffd", text)


def run_is_kept(run_id: str, sample_rate: float) -> bool:
    return zlib.crc32(well_formed(run_id).encode("utf-8")) / 2**32 < sample_rate


def went_wrong(event_type: str, fields: Mapping[str, object]) -> bool:
    """Whether the event's status, given or by the server's default, is other than success."""
    status = fields.get("status")
    if isinstance(status, str) and status:
        return status != "success"
    return event_type in ("error", "assertion_failed") or fields.get("error") is not None
