"""W3C trace context: a run's headers out, a run's ids in.

A run whose ids are no trace and span ids travels with ids derived from its own, and with its own
in `baggage`, so that a program that knows only W3C passes them on.
"""

from __future__ import annotations

import hashlib
import re
import sys
from typing import Any, Dict, Mapping, Optional, Tuple, cast
from urllib.parse import quote, unquote

from ._scope import Scope

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_HEX_RUN = re.compile(r"[0-9a-f]{32}")
_HEX_SPAN = re.compile(r"[0-9a-f]{16}")
_RUN_KEY = "aisentry.run_id"
_SPAN_KEY = "aisentry.span_id"
_HEADER_CHARACTERS_MAX = 8192
_ID_CHARACTERS_MAX = 128


def headers_of(scope: Scope) -> Dict[str, str]:
    """traceparent, and where needed baggage and tracestate."""
    trace_id, span_id = _hex(scope.run_id, _HEX_RUN, 32), _hex(scope.span_id, _HEX_SPAN, 16)
    headers = {"traceparent": f"00-{trace_id}-{span_id}-01"}
    if scope.tracestate:
        headers["tracestate"] = scope.tracestate
    own = {_RUN_KEY: (scope.run_id, trace_id), _SPAN_KEY: (scope.span_id, span_id)}
    kept = [f"{key}={quote(given, safe='')}" for key, (given, sent) in own.items() if given != sent]
    if kept:
        headers["baggage"] = ",".join(kept)
    return headers


def ids_of(headers: Any) -> Dict[str, str]:
    """run_id and parent_span_id (and tracestate) of whoever sent the headers; empty when none."""
    found = _TRACEPARENT.fullmatch(_header(headers, "traceparent").strip().lower())
    if found is None:
        return {}
    version, trace_id, span_id, _, more = found.groups()
    if version == "ff" or (version == "00" and more) or not trace_id.strip("0"):
        return {}
    if not span_id.strip("0"):
        return {}
    own = _baggage(_header(headers, "baggage"))
    run_id, parent = own.get(_RUN_KEY, trace_id), own.get(_SPAN_KEY, span_id)
    # The baggage is believed where it belongs to these ids; a stale one is not.
    ids = {
        "run_id": run_id if _hex(run_id, _HEX_RUN, 32) == trace_id else trace_id,
        "parent_span_id": parent if _hex(parent, _HEX_SPAN, 16) == span_id else span_id,
    }
    tracestate = _header(headers, "tracestate").strip()
    if tracestate:
        ids["tracestate"] = tracestate
    return ids


def opentelemetry_ids() -> Optional[Tuple[str, str]]:
    """Trace and span id of the OpenTelemetry span that the program is in, if it uses that."""
    trace: Any = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    try:
        context = trace.get_current_span().get_span_context()
        return (f"{context.trace_id:032x}", f"{context.span_id:016x}") if context.is_valid else None
    except Exception:
        return None


def _hex(identity: str, form: "re.Pattern[str]", length: int) -> str:
    if form.fullmatch(identity) and identity.strip("0"):
        return identity
    digest = hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()
    return digest[:length]


def _header(headers: Any, name: str) -> str:
    """A header of a mapping, or of pairs as ASGI has them, in any case; empty when absent."""
    if isinstance(headers, Mapping):
        pairs: Any = cast(Mapping[Any, Any], headers).items()
    else:
        pairs = headers or ()
    # WSGI's names, too.
    names = (name, f"http_{name}")
    for key, value in pairs:
        if _text(key).lower() in names:
            text = _text(value)
            return text if len(text) <= _HEADER_CHARACTERS_MAX else ""
    return ""


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _baggage(text: str) -> Dict[str, str]:
    members: Dict[str, str] = {}
    for member in text.split(","):
        key, _, value = member.partition(";")[0].partition("=")
        if key.strip() in (_RUN_KEY, _SPAN_KEY):
            members[key.strip()] = unquote(value.strip())[:_ID_CHARACTERS_MAX]
    return members
