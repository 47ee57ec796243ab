"""What was logged in, one line of JSON out. Runs on the worker's thread.

The server refuses an event for one field of the wrong kind. Here such a value is moved to
`attributes`, where any value may stand, so that the rest of the event is not lost with it.
"""

from __future__ import annotations

import json
import platform
import socket
import sys
import traceback
from datetime import datetime, timezone
from types import TracebackType
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Tuple, cast

from ._fields import BARE_FIELDS, KINDS
from ._fit import MISFIT, fit, labels_of, wanted
from ._limits import LABELS_MAX, STACK_FRAMES_MAX
from ._plain import is_a, safe_text, type_name
from ._redact import Scrubber
from ._report import Reporter
from ._sampling import well_formed
from ._snapshot import thaw
from ._version import __version__

Event = Dict[str, Any]
BeforeSend = Callable[[Event], Optional[Event]]


class Stack(NamedTuple):
    """A traceback as the caller's thread leaves it: which lines, but not yet their text."""

    exception: traceback.TracebackException


# One event between the caller's thread and the worker's: its time, its id and type, its frozen
# fields, the tags of its run, and its traceback. A plain tuple, because a call pays for making
# it.
Logged = Tuple[int, str, str, Dict[str, Any], Tuple[str, ...], Optional[Stack]]


def describe_error(error: Any) -> Tuple[Any, Optional[Stack]]:
    """An exception as {message, type, code} and its traceback; fields as they are, else text."""
    if not isinstance(error, BaseException):
        fields: Mapping[str, Any] = error
        return fields if isinstance(error, Mapping) else safe_text(error), None
    described: Dict[str, Any] = {"message": safe_text(error), "type": type_name(error)}
    for name in ("code", "status_code", "errno"):
        code = getattr(error, name, None)
        if isinstance(code, (str, int)) and not isinstance(code, bool):
            described["code"] = code
            break
    return described, _stack(error, error.__traceback__)


def _stack(error: BaseException, trace: Optional[TracebackType]) -> Optional[Stack]:
    try:
        # Reading the source files is left to the worker.
        return Stack(
            traceback.TracebackException(
                type(error), error, trace, limit=-STACK_FRAMES_MAX, lookup_lines=False
            )
        )
    except Exception:
        return None


class Composer:
    """One client's way from what was logged to lines: defaults, tags, fitting, before_send."""

    def __init__(
        self,
        defaults: Mapping[str, Any],
        tags: Tuple[str, ...],
        before_send: Optional[BeforeSend],
        reporter: Reporter,
        scrubber: Scrubber,
    ) -> None:
        self._scrubber = scrubber
        self._defaults = dict(defaults)
        self._tags = tags
        self._before_send = before_send
        self._reporter = reporter
        self._encode = json.JSONEncoder(
            ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
        ).encode

    def line(self, logged: Logged) -> Optional[bytes]:
        """One JSON object in UTF-8, without a newline; None when before_send left the event out."""
        event = self._compose(logged)
        text = self._encode(event)
        if self._scrubber.may_hold(text):
            event = self._scrubber.scrub(event)
            text = self._encode(event)
        if self._before_send is not None:
            left = self._filtered(event)
            if left is None:
                return None
            text = self._encode(left)
        try:
            return text.encode("utf-8")
        except UnicodeEncodeError:
            return well_formed(text).encode("utf-8")

    def _compose(self, logged: Logged) -> Event:
        time_ns, event_id, event_type, fields, run_tags, stack = logged
        event: Event = {
            "event_id": event_id,
            "event_type": event_type,
            "timestamp": _started(time_ns, fields.get("latency_ms")),
            **self._defaults,
            "client": _client(),
        }
        # None, and an id of no characters, are the same as absent: they hide no default.
        event.update(
            (name, value)
            for name, value in thaw(fields).items()
            if value is not None and not (value == "" and KINDS.get(name) == "id")
        )
        event["timestamp"] = timestamp_text(event["timestamp"])
        error = event.get("error")
        if stack is not None and isinstance(error, dict):
            error["stack"] = "".join(stack.exception.format())
        tags = [*self._tags, *run_tags, *labels_of(event.get("tags"))]
        if tags:
            event["tags"] = list(dict.fromkeys(tags))[:LABELS_MAX]
        self._fit(event)
        return event

    def _fit(self, event: Event) -> None:
        misfits: Dict[str, Any] = {}
        for name, value in event.items():
            kind = KINDS.get(name)
            if kind is None or kind == "value":
                continue
            fitted = fit(name, kind, value)
            if fitted is MISFIT:
                misfits[name] = value
            elif fitted is not value:
                event[name] = fitted
        if not misfits:
            return
        given: Any = event.get("attributes")
        attributes = cast(Dict[str, Any], given) if isinstance(given, dict) else {}
        for name, value in misfits.items():
            del event[name]
            attributes.setdefault(name, value)
            self._reporter.warn_once(
                f"misfit {name}",
                "%s must be %s; what was given (%s) is kept in attributes.",
                name,
                wanted(name, KINDS[name]),
                type(value).__name__,
            )
        event["attributes"] = attributes

    def _filtered(self, event: Event) -> Optional[Event]:
        assert self._before_send is not None
        event_id, event_type = event["event_id"], event["event_type"]
        try:
            left: Any = self._before_send(event)
            if left is None:
                return None
            if is_a(left, dict):
                # It may have put anything in; the walk makes JSON of it again.
                kept = thaw(left)
                return {"event_id": event_id, "event_type": event_type, **kept}
            raise TypeError(f"before_send returned {type_name(left)}, not a dict or None")
        except Exception as error:
            self._reporter.warn_once(
                "before_send",
                "before_send failed (%s: %s); events are sent without content and without user.",
                type_name(error),
                error,
            )
            # What the hook was to take out is not known: everything that may hold it stays behind.
            bare = {name: value for name, value in event.items() if name in BARE_FIELDS}
            if "error" in event:
                bare["error"] = {"message": "[removed: before_send failed]"}
            return bare


def _started(time_ns: int, latency_ms: Any) -> str:
    """When it started: events are logged at their end, so the latency lies before."""
    if isinstance(latency_ms, (int, float)) and 0 < latency_ms < _LATENCY_MS_MAX:
        time_ns -= int(latency_ms * 1_000_000)
    return timestamp_of(time_ns)


_LATENCY_MS_MAX = 7 * 24 * 3600 * 1000


def timestamp_of(time_ns: int) -> str:
    """ISO 8601 with microseconds, UTC."""
    seconds, below = divmod(time_ns, 1_000_000_000)
    whole = datetime.fromtimestamp(seconds, timezone.utc)
    return f"{whole.isoformat()[:19]}.{below // 1000:06d}Z"


def timestamp_text(value: Any) -> Any:
    """A caller's timestamp as ISO 8601. A datetime without a zone is local time, as in Python."""
    if isinstance(value, datetime):
        try:
            return value.astimezone(timezone.utc).isoformat()
        except (ValueError, OverflowError, OSError):
            return value.isoformat()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            # Not by a billion: a double has no digits left for that.
            return timestamp_of(round(value * 1_000_000) * 1000)
        except (ValueError, OverflowError, OSError):
            return value
    return value


_known_client: Dict[str, str] = {}


def _client() -> Dict[str, str]:
    if not _known_client:
        version = ".".join(str(part) for part in sys.version_info[:3])
        name = platform.python_implementation()
        _known_client.update(
            hostname=socket.gethostname(),
            sdk_version=f"aisentry-python/{__version__}",
            platform=f"{name} {version} {sys.platform}",
        )
    return dict(_known_client)
