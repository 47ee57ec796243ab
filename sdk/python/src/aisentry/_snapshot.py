"""Any Python value in, plain JSON values out: a copy that the caller can no longer change.

Two steps. `freeze` runs on the caller's thread, because later changes by the caller must not
change what is sent and because an object's own methods may only be called where it lives: it
copies containers, shares texts and other values that cannot change, and turns objects into plain
values. `Snapshot.take` runs on the worker's thread and makes JSON of what was frozen, within
bounds; freeze calls it for whatever is not a plain container. Iterators are never consumed, and
nothing of the caller's is written to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping as AbstractMapping
from itertools import islice
from typing import Any, Dict, Iterable, List, Mapping, Set, Tuple

from ._limits import (
    INTEGER_MAX,
    KEY_CHARACTERS_MAX,
    SNAPSHOT_BYTES_MAX,
    SNAPSHOT_DEPTH_MAX,
    SNAPSHOT_NODE_BYTES,
    SNAPSHOT_OBJECT_BYTES,
    STRING_CHARACTERS_MAX,
)
from ._plain import (
    CONVERSIONS,
    FIXED,
    INTEGER_MIN,
    bounded_repr,
    is_a,
    items_of,
    key_text,
    long_integer,
    named,
    shown_fields,
    truncated,
    type_name,
    type_of,
)

# A text that short is within the cost of its entry, at four bytes a character.
_SHORT_CHARACTERS_MAX = SNAPSHOT_NODE_BYTES // 4
_ENTRIES_MAX = SNAPSHOT_BYTES_MAX // SNAPSHOT_NODE_BYTES


class _TooMuch(Exception):
    """Deeper, larger or rounder than a plain copy takes: the bounded walk has to do it."""


def freeze(fields: Dict[str, Any]) -> Tuple[Dict[str, Any], int]:
    """Fields that share nothing that can change, and about how many bytes they hold in memory.

    The dict itself is the SDK's own already, and is used again.
    """
    try:
        return fields, _freeze_entries(fields, fields.items(), 0)
    except (_TooMuch, RuntimeError):  # RuntimeError: the program's stack has little room left.
        walk = Snapshot()
        # Names and numbers first: a huge prompt must not leave them without room.
        names = sorted(fields, key=lambda name: _is_long(fields[name]))
        return {
            name: walk.take(fields[name], 1) for name in names
        }, walk.bytes_max - walk.bytes_left


def thaw(fields: Dict[str, Any]) -> Dict[str, Any]:
    """What was frozen as plain JSON values, which are the worker's own."""
    # More room than freeze has: short texts are counted beside their entry, and what was cut has
    # its mark.
    walk = Snapshot(2 * SNAPSHOT_BYTES_MAX, STRING_CHARACTERS_MAX + KEY_CHARACTERS_MAX)
    thawed: Dict[str, Any] = walk.take(fields)
    return thawed


def _is_long(value: Any) -> bool:
    return type(value) not in FIXED and not (
        type(value) is str and len(value) <= KEY_CHARACTERS_MAX
    )


def _freeze_entries(copy: Any, entries: Iterable[Tuple[Any, Any]], depth: int) -> int:
    """Replaces what can change in a dict or list of ours; bytes of it all. Callers wait for it."""
    size = SNAPSHOT_NODE_BYTES * (1 + len(copy))
    for key, entry in entries:
        kind = type_of(entry)
        if kind is str:
            length = len(entry)
            if length > _SHORT_CHARACTERS_MAX:
                if length > STRING_CHARACTERS_MAX:
                    raise _TooMuch
                size += length if entry.isascii() else 4 * length
            continue
        if kind in FIXED:
            continue
        if kind is dict or kind is list or kind is tuple:
            if depth + 1 >= SNAPSHOT_DEPTH_MAX or len(entry) > _ENTRIES_MAX:
                raise _TooMuch
            # Copied first, in one step that no other thread can come between.
            if kind is dict:
                inner: Any = entry.copy()
                size += _freeze_entries(inner, inner.items(), depth + 1)
            else:
                several: List[Any] = [*entry]
                inner = several
                size += _freeze_entries(several, enumerate(several), depth + 1)
            copy[key] = inner
        else:
            walk = Snapshot()
            copy[key] = walk.take(entry, depth + 1)
            size += walk.bytes_max - walk.bytes_left
        if size > SNAPSHOT_BYTES_MAX:
            raise _TooMuch
    if size > SNAPSHOT_BYTES_MAX:
        raise _TooMuch
    return size


def _text_bytes(value: str) -> int:
    """Four bytes a character is the most that UTF-8, or Python itself, needs."""
    return len(value) if value.isascii() else 4 * len(value)


class Snapshot:
    """One event's walk: what it may still take, and the containers it is inside of."""

    __slots__ = ("bytes_max", "bytes_left", "_characters_max", "_path")

    def __init__(
        self, bytes_max: int = SNAPSHOT_BYTES_MAX, characters_max: int = STRING_CHARACTERS_MAX
    ) -> None:
        self._characters_max = characters_max
        self.bytes_max = bytes_max
        self.bytes_left = bytes_max
        self._path: Set[int] = set()

    def take(self, value: Any, depth: int = 0) -> Any:
        """A plain copy: None, bool, int, finite float, str, list or dict with str keys."""
        kind = type_of(value)
        if kind is str:
            size = _text_bytes(value)
            if size > self.bytes_left or len(value) > self._characters_max:
                return self._cut(value)
            self.bytes_left -= size
            return value
        if kind is int:
            return value if INTEGER_MIN <= value <= INTEGER_MAX else long_integer(value)
        if kind is float:
            # JSON has no NaN and no infinity.
            return value if value - value == 0.0 else None
        if value is None or kind is bool:
            return value
        if kind is dict or kind is list or kind is tuple:
            return self._container(value, value, depth)
        return self._other(value, depth)

    def _container(self, value: Any, owner: object, depth: int) -> Any:
        if depth >= SNAPSHOT_DEPTH_MAX:
            return "[too deep]"
        path = self._path
        identity = id(owner)
        if identity in path:
            return "[circular]"
        path.add(identity)
        # Left in the path when something is raised: the walk ends then.
        copy_of = self._dict if is_a(value, dict) else self._list
        copy: Any = copy_of(value, depth + 1)
        path.discard(identity)
        return copy

    def _room(self, length: int) -> int:
        """How many of so many entries fit."""
        room = self.bytes_left // SNAPSHOT_NODE_BYTES
        return length if length <= room else max(room, 0)

    def _dict(self, value: Dict[Any, Any], depth: int) -> Dict[str, Any]:
        length = len(value)
        room = self._room(length)
        # list() of a dict's items runs no Python code: another thread cannot change it midway.
        every = items_of(value)
        items = _head(every, room) if room < length else list(every)
        self.bytes_left -= room * SNAPSHOT_NODE_BYTES
        out: Dict[str, Any] = {}
        for key, entry in items:
            if type(key) is not str or len(key) > KEY_CHARACTERS_MAX:
                key = key_text(key)
            out[key] = self.take(entry, depth)
        if room < length:
            out["[truncated]"] = True
        return out

    def _list(self, value: Any, depth: int) -> List[Any]:
        length = len(value)
        room = self._room(length)
        entries: Iterable[Any] = tuple(value) if room == length else _head(value, room)
        self.bytes_left -= room * SNAPSHOT_NODE_BYTES
        out = [self.take(entry, depth) for entry in entries]
        if room < length:
            out.append(f"[truncated, {length} entries in all]")
        return out

    def _cut(self, value: str) -> str:
        width = 1 if value.isascii() else 4
        kept = max(min(self._characters_max, self.bytes_left // width), 0)
        self.bytes_left -= kept * width
        return truncated(value, kept)

    def _other(self, value: Any, depth: int) -> Any:
        """Everything but the plain types. The object's own code may run here, and may raise."""
        try:
            for kinds, convert in CONVERSIONS:
                if is_a(value, kinds):
                    return self.take(convert(value), depth)
            if is_a(value, (dict, list, tuple, set, frozenset, deque)):
                return self._container(named(value), value, depth)
            if is_a(value, AbstractMapping):
                return self._container(self._head_of(value), value, depth)
            if depth >= SNAPSHOT_DEPTH_MAX:
                return "[too deep]"
            self.bytes_left -= SNAPSHOT_OBJECT_BYTES
            kind = type_of(value)
            # Looked up on the type: a stand-in object that has every attribute has no such class.
            dump = getattr(kind, "model_dump", None)
            if dump is not None:
                return self.take(dump(value), depth + 1)
            fields = getattr(kind, "__dataclass_fields__", None)
            if fields is not None:
                return self._container(shown_fields(value, fields), value, depth)
            if getattr(value, "shape", None) == () and hasattr(kind, "item"):
                return self.take(kind.item(value), depth)  # A number of NumPy's.
            return self.take(bounded_repr(value), depth)
        except Exception:
            return f"[unprintable {type_name(value)}]"

    def _head_of(self, mapping: Mapping[Any, Any]) -> Dict[Any, Any]:
        return {key: mapping[key] for key in islice(mapping, self._room(len(mapping)))}


def _head(entries: Iterable[Any], count: int) -> List[Any]:
    try:
        return list(islice(entries, count))
    except RuntimeError:  # Another thread changed the size meanwhile.
        return []
