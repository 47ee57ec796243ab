"""One field's plain value in, the value as the server takes it out, or MISFIT. Pure.

The server refuses a whole event for one field of the wrong kind; whoever calls this keeps a misfit
elsewhere. What is harmless is put right: a Decimal's text becomes a number, a long label is cut.
"""

from __future__ import annotations

from math import inf
from typing import Any, Callable, Dict, List, Mapping, cast

from ._fields import RANGES, VALUES
from ._limits import INTEGER_MAX, LABEL_CHARACTERS_MAX, LABELS_MAX

MISFIT: Any = object()

_WANTED: Mapping[str, str] = {
    "latency_ms": "a number of at least 0",
    "confidence_score": "a number from 0 to 1",
    "timestamp": "ISO 8601 text, a datetime or seconds since 1970",
    "error": "a text, an exception or a dict",
    "attributes": "a dict",
}


def fit(name: str, kind: str, value: Any) -> Any:
    """The same value, a better one, or MISFIT."""
    # The commonest by far.
    if type(value) is str and kind != "number" and len(value) <= LABEL_CHARACTERS_MAX:
        if kind in ("id", "label", "text", "timestamp"):
            return value
        if kind == "enum":
            # An event_type that the server does not know is the server's to refuse.
            return value if value in VALUES[name] or name == "event_type" else MISFIT
    if kind == "object":
        # `error` may be a bare message.
        is_fit = isinstance(value, dict) or name == "error" and isinstance(value, str)
        return cast(Any, value) if is_fit else MISFIT
    if kind == "number":
        number = _number(value)
        least, most = RANGES.get(name, (-inf, inf))
        return number if number is MISFIT or least <= number <= most else MISFIT
    return _FITS[kind](value)


def wanted(name: str, kind: str) -> str:
    """What the field takes, for a message."""
    if name in VALUES:
        return f"one of {', '.join(VALUES[name])}"
    return _WANTED.get(name) or _WANTED_OF_KIND[kind]


_WANTED_OF_KIND: Mapping[str, str] = {
    "id": "a text",
    "label": "a text",
    "text": "a text",
    "number": "a finite number in its range",
    "integer": "a whole number from 0 to 2^53 - 1",
    "labels": "a list of texts",
    "list": "a list",
    "object": "a dict",
}


def labels_of(value: Any) -> List[str]:
    """Labels of one text, or of several of anything; none of nothing."""
    many: List[Any] = (
        [] if value is None else [value] if not isinstance(value, (list, tuple)) else [*value]
    )
    return [_cut(entry if isinstance(entry, str) else str(entry)) for entry in many[:LABELS_MAX]]


def _cut(text: str) -> str:
    return text if len(text) <= LABEL_CHARACTERS_MAX else text[: LABEL_CHARACTERS_MAX - 1] + "…"


def _text(value: Any) -> Any:
    # An id that is too long is the server's to refuse: cut, it would be another one's.
    if type(value) is str:
        return value
    return str(value) if type(value) in (int, float) else MISFIT


def _label(value: Any) -> Any:
    text = _text(value)
    return text if text is MISFIT else _cut(text)


def _number(value: Any) -> Any:
    if type(value) is int or type(value) is float:
        return value
    # A Decimal or an integer beyond 2^53 was made text for the sake of its digits.
    try:
        number = float(value) if type(value) is str else MISFIT
    except ValueError:
        return MISFIT
    return number if number is MISFIT or abs(number) < inf else MISFIT


def _integer(value: Any) -> Any:
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= INTEGER_MAX else MISFIT


def _labels(value: Any) -> Any:
    return labels_of(value) if isinstance(value, (str, list)) else MISFIT


def _list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType]


_FITS: Dict[str, Callable[[Any], Any]] = {
    "id": _text,
    "label": _label,
    "text": _text,
    "integer": _integer,
    "labels": _labels,
    "list": _list,
    "enum": lambda _: MISFIT,
    "timestamp": lambda value: value if type(value) is str else MISFIT,
}
