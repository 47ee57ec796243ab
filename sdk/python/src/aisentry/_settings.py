"""What init() was given, the environment and the defaults become settings, in this order."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Iterable, Optional, Tuple

from ._dsn import FORM, BadDsn, Dsn, parse_dsn
from ._event import BeforeSend
from ._fit import labels_of
from ._redact import PERSONAL_KINDS, Redact, Redactor, redactors_of
from ._report import Reporter
from ._tally import OnDrop

_NO = frozenset({"0", "false", "no", "off"})
_YES = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True)
class Settings:
    dsn: Dsn
    release: Optional[str]
    env: Optional[str]
    sample_rate: float
    user_id: Optional[str]
    session_id: Optional[str]
    tags: Tuple[str, ...]
    before_send: Optional[BeforeSend]
    on_drop: Optional[OnDrop]
    service: Optional[str] = None
    capture_content: bool = True
    redactors: Tuple[Redactor, ...] = ()
    spool_dir: Optional[str] = None


def read_settings(
    *,
    dsn: Optional[str],
    release: Optional[str],
    env: Optional[str],
    sample_rate: Optional[float],
    user_id: Any,
    session_id: Any,
    tags: Optional[Iterable[str]],
    before_send: Optional[BeforeSend],
    on_drop: Optional[OnDrop],
    enabled: Optional[bool],
    reporter: Reporter,
    service: Optional[str] = None,
    capture_content: Optional[bool] = None,
    redact: Redact = None,
    spool_dir: Optional[str] = None,
) -> Optional[Settings]:
    """Settings, or None when nothing is to be recorded; warns of what cannot be read."""
    if not (_variable("ENABLED").lower() not in _NO if enabled is None else enabled):
        return None
    text = _variable("DSN") if dsn is None else dsn
    if not text:
        return None
    parsed = parse_dsn(text) if isinstance(text, str) else BadDsn("is not a text")  # pyright: ignore[reportUnnecessaryIsInstance]
    if isinstance(parsed, BadDsn):
        reporter.warn_once(
            "dsn", "The DSN %s; nothing is recorded. Its form is %s", parsed.problem, FORM
        )
        return None
    redactors, unknown = redactors_of(redact)
    if unknown:
        reporter.warn_once(
            "redact", "There is no redaction %s; there are %s.", unknown, ", ".join(PERSONAL_KINDS)
        )
    if capture_content is None:
        capture_content = _variable("CAPTURE_CONTENT").lower() not in (*_NO, "none")
    return Settings(
        dsn=parsed,
        release=text_of(release) or _variable("RELEASE") or None,
        env=text_of(env) or _variable("ENVIRONMENT") or None,
        sample_rate=_rate(sample_rate, reporter),
        user_id=text_of(user_id),
        session_id=text_of(session_id),
        tags=tags_of(tags),
        before_send=before_send if callable(before_send) else None,
        on_drop=on_drop if callable(on_drop) else None,
        service=text_of(service) or _variable("SERVICE") or _opentelemetry_service(),
        capture_content=bool(capture_content),
        redactors=redactors,
        spool_dir=os.fspath(spool_dir) if spool_dir else _variable("SPOOL_DIR") or None,
    )


def wants_debug(debug: Optional[bool]) -> bool:
    return _variable("DEBUG").lower() in _YES if debug is None else debug


def text_of(value: Any) -> Optional[str]:
    """A text from what a person may give for an id; None of nothing."""
    return str(value) if value is not None and value != "" else None


def tags_of(value: Any) -> Tuple[str, ...]:
    return tuple(labels_of(value if value is None or isinstance(value, str) else list(value)))


def _variable(name: str) -> str:
    return os.environ.get(f"AISENTRY_{name}", "").strip()


def _opentelemetry_service() -> Optional[str]:
    return os.environ.get("OTEL_SERVICE_NAME", "").strip() or None


def instrument_choice(given: Any) -> Any:
    """What init() was given; else AISENTRY_INSTRUMENT, a yes, a no or names; else all."""
    if given is not None:
        return given
    text = _variable("INSTRUMENT")
    if not text or text.lower() in _YES:
        return True
    return False if text.lower() in _NO else [name.strip() for name in text.split(",")]


def _rate(given: Any, reporter: Reporter) -> float:
    value: Any = given
    if value is None:
        value = _variable("SAMPLE_RATE") or 1.0
    try:
        rate = float(value)
    except (TypeError, ValueError):
        rate = -1.0
    if 0.0 <= rate <= 1.0:
        return rate
    reporter.warn_once("sample_rate", "The sample rate must be a number from 0 to 1; 1 is used.")
    return 1.0
