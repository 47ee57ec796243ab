"""One value that is no plain container as something plainer: what each type becomes.

Runs on the caller's thread as a part of freeze, and calls the value's own code, which may raise.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Callable, Dict, Iterable, Mapping, Tuple, cast
from uuid import UUID

from ._limits import INTEGER_MAX, KEY_CHARACTERS_MAX, REPR_CHARACTERS_MAX, STRING_CHARACTERS_MAX

INTEGER_MIN = -INTEGER_MAX
_INTEGER_BITS_MAX = 4096
# Values that cannot change and have no parts: shared between the caller and the worker.
FIXED = frozenset(
    {int, float, bool, type(None), complex, date, datetime, time, timedelta, Decimal, UUID}
)

# Told without narrowing: to the type checkers a value of any type is left so.
is_a: Callable[[Any, Any], bool] = isinstance
type_of: Callable[[Any], Any] = type
# A subclass may have items() of its own, which may do anything.
items_of: Callable[[Any], Iterable[Tuple[Any, Any]]] = cast(Any, dict).items


def key_text(key: Any) -> str:
    """A dict's key as text: as JSON has it where JSON has it."""
    if key is None or isinstance(key, bool):
        return "null" if key is None else "true" if key else "false"
    if type(key) is int:
        return str(key) if INTEGER_MIN <= key <= INTEGER_MAX else long_integer(key)
    text = str.__str__(key) if isinstance(key, str) else safe_text(key)
    return text if len(text) <= KEY_CHARACTERS_MAX else text[:KEY_CHARACTERS_MAX] + "…"


def long_integer(value: int) -> str:
    # JSON's readers keep 53 bits: the digits travel as text. Converting takes the square of their
    # count.
    bits = value.bit_length()
    return str(value) if bits <= _INTEGER_BITS_MAX else f"[integer of {bits} bits]"


def _bytes(value: Any) -> str:
    if isinstance(value, memoryview):
        return f"[{value.nbytes} bytes]"
    if len(value) <= STRING_CHARACTERS_MAX and 0 not in value:
        try:
            return bytes(value).decode("utf-8")
        except UnicodeDecodeError:
            pass
    return f"[{len(value)} bytes]"


def _decimal(value: Decimal) -> Any:
    number = float(value)
    # As a number where a double holds it, otherwise digit by digit.
    return number if value.is_finite() and Decimal(repr(number)) == value else str(value)


def _exception(value: BaseException) -> Dict[str, Any]:
    return {"type": type_name(value), "message": str(value)}


def _qualified_name(value: Any) -> str:
    return f"[{getattr(value, '__module__', None)}.{getattr(value, '__qualname__', '?')}]"


def type_name(value: object) -> str:
    """The type's name; never raises."""
    try:
        kind = type_of(value)
        module = kind.__module__
        return (
            kind.__qualname__
            if module in ("builtins", "__main__")
            else f"{module}.{kind.__qualname__}"
        )
    except Exception:
        return "object"


def safe_text(value: object) -> str:
    """str(), whatever the object does about it."""
    try:
        return str(value)
    except Exception:
        return f"[unprintable {type_name(value)}]"


# Tried in this order; what comes out is taken again. Subclasses of the plain types lose what they
# add.
CONVERSIONS: Tuple[Tuple[Any, Callable[[Any], Any]], ...] = (
    (Enum, lambda value: value.value),
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    ((bytes, bytearray, memoryview), _bytes),
    ((datetime, date, time), lambda value: value.isoformat()),
    (timedelta, lambda value: value.total_seconds()),
    (Decimal, _decimal),
    ((UUID, PurePath, complex), str),
    (BaseException, _exception),
    ((type, FunctionType, BuiltinFunctionType, MethodType), _qualified_name),
    (ModuleType, repr),
)


def named(value: Any) -> Any:
    """A named tuple's fields by name."""
    fields: Any = getattr(cast(Any, type(value)), "_fields", None)
    return dict(zip(fields, value)) if is_a(value, tuple) and is_a(fields, tuple) else value


def shown_fields(value: object, fields: Mapping[str, Any]) -> Dict[str, Any]:
    # A field that hides from repr() is hidden here too: secrets are marked so.
    return {name: getattr(value, name) for name, field in fields.items() if field.repr}


def bounded_repr(value: object) -> str:
    text = repr(value)
    return text if len(text) <= REPR_CHARACTERS_MAX else truncated(text, REPR_CHARACTERS_MAX)


def truncated(text: str, kept: int) -> str:
    return f"{text[:kept]}… [truncated, {len(text)} characters in all]"
