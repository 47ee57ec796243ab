"""Any value becomes plain JSON, bounded, as it was when it was logged."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import json
import math
import pathlib
import random
import threading
import types
import uuid
from typing import Any, Callable, Dict, List, NamedTuple, Tuple
from unittest.mock import MagicMock

import pytest

from aisentry._limits import MIB, SNAPSHOT_BYTES_MAX, SNAPSHOT_DEPTH_MAX
from aisentry._snapshot import freeze, thaw


def plain(value: Any) -> Any:
    """The whole way: frozen on one thread, thawed on the other."""
    frozen, size = freeze({"value": value})
    assert size > 0
    return thaw(frozen)["value"]


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Text(str):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Card:
    name: str
    secret: str = dataclasses.field(repr=False)
    parts: List[Any] = dataclasses.field(default_factory=list)


class Model:
    def __init__(self, **parts: Any) -> None:
        self.parts = parts

    def model_dump(self) -> Dict[str, Any]:
        return self.parts


class BrokenModel:
    def model_dump(self) -> Dict[str, Any]:
        raise ValueError("broken")


class EndlessModel:
    def model_dump(self) -> Any:
        return [self, self]


class BadRepr:
    def __repr__(self) -> str:
        raise ZeroDivisionError


class BadClass:
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("who am I")


class BadDict(Dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("no items")

    def __iter__(self) -> Any:
        raise RuntimeError("no keys")


class Scalar:
    """As NumPy's scalars are."""

    shape = ()

    def item(self) -> float:
        return 1.5


class BadKey:
    def __hash__(self) -> int:
        return 1

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


CASES: List[Tuple[str, Any, Any]] = [
    ("text", "a", "a"),
    ("none", None, None),
    ("booleans", [True, False], [True, False]),
    ("numbers", [1, -1.5, 0, 2**53 - 1], [1, -1.5, 0, 2**53 - 1]),
    ("wide integer", [2**53, -(2**63)], [str(2**53), str(-(2**63))]),
    ("huge integer", 1 << 1_000_000, "[integer of 1000001 bits]"),
    ("not finite", [math.nan, math.inf, -math.inf], [None, None, None]),
    ("decimals", [decimal.Decimal("0.10"), decimal.Decimal("1") / 3], [0.1, "0." + "3" * 28]),
    ("decimal nan", decimal.Decimal("NaN"), "NaN"),
    ("bytes that are text", b"caf\xc3\xa9", "caf\u00e9"),
    ("bytes", b"\x00\xff", "[2 bytes]"),
    ("bytearray", bytearray(b"\xff"), "[1 bytes]"),
    ("memoryview", memoryview(b"abc"), "[3 bytes]"),
    ("tuple", (1, (2,)), [1, [2]]),
    ("set", {1}, [1]),
    ("frozenset", frozenset("a"), ["a"]),
    ("deque", collections.deque([1, 2], 5), [1, 2]),
    ("ordered dict", collections.OrderedDict(a=1), {"a": 1}),
    ("counter", collections.Counter("aa"), {"a": 2}),
    ("mapping proxy", types.MappingProxyType({"a": 1}), {"a": 1}),
    ("dict with its own items", BadDict(a=1), {"a": 1}),
    ("named tuple", Point(1, 2), {"x": 1, "y": 2}),
    ("dataclass hides what repr hides", Card("n", "s", [1]), {"name": "n", "parts": [1]}),
    ("model", Model(a=Model(b=1)), {"a": {"b": 1}}),
    ("broken model", BrokenModel(), "[unprintable test_snapshot.BrokenModel]"),
    ("enum", [Color.RED, Level.HIGH], ["red", 3]),
    ("text of its own kind", Text("hidden"), "hidden"),
    ("scalar", Scalar(), 1.5),
    ("datetime", datetime.datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05"),
    ("date", datetime.date(2026, 1, 2), "2026-01-02"),
    ("duration", datetime.timedelta(seconds=1.5), 1.5),
    ("uuid", uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ("path", pathlib.PurePosixPath("/a/b"), "/a/b"),
    ("complex", 1 + 2j, "(1+2j)"),
    ("exception", ValueError("bad"), {"type": "ValueError", "message": "bad"}),
    ("class", dict, "[builtins.dict]"),
    ("function", json.dumps, "[json.dumps]"),
    ("range", range(3), "range(0, 3)"),
    ("repr raises", BadRepr(), "[unprintable test_snapshot.BadRepr]"),
    ("class raises", [BadClass()], ["[unprintable test_snapshot.BadClass]"]),
    (
        "keys",
        {1: "a", None: "b", False: "c", 2.5: "d", (1, 2): "e"},
        {"1": "a", "null": "b", "false": "c", "2.5": "d", "(1, 2)": "e"},
    ),
    ("key that raises", {BadKey(): 1}, {"[unprintable test_snapshot.BadKey]": 1}),
    ("long key", {"k" * 5000: 1}, {"k" * 1024 + "\u2026": 1}),
    ("__proto__", {"__proto__": {"a": 1}}, {"__proto__": {"a": 1}}),
    ("long repr", range(10**9).__class__, "[builtins.range]"),
]


@pytest.mark.parametrize(
    "value,expected", [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_values(value: Any, expected: Any) -> None:
    assert plain(value) == expected


def test_iterators_are_not_consumed() -> None:
    generator = (number for number in range(3))
    iterator = iter([1, 2])
    assert "generator" in plain(generator) and "iterator" in plain(iterator)
    assert list(generator) == [0, 1, 2] and list(iterator) == [1, 2]


def test_stand_in_object() -> None:
    assert "MagicMock" in plain(MagicMock())


def test_cycles() -> None:
    around: List[Any] = [1]
    around.append({"again": around})
    assert plain(around) == [1, {"again": "[circular]"}]
    card = Card("n", "s")
    card.parts.append(card)
    assert plain(card) == {"name": "n", "parts": ["[circular]"]}
    twice = ["shared"]
    assert plain([twice, twice]) == [["shared"], ["shared"]]


def test_depth() -> None:
    deep: Any = "bottom"
    for _ in range(5000):
        deep = [deep]
    text = json.dumps(plain(deep))
    assert "[too deep]" in text and text.count("[[") <= SNAPSHOT_DEPTH_MAX


def shared_bomb() -> Any:
    value: Any = "x" * 1000
    for _ in range(40):
        value = [value] * 40
    return value


def model_bomb() -> Any:
    return EndlessModel()


def cycle_bomb() -> Any:
    value: Dict[str, Any] = {}
    for number in range(50):
        value[str(number)] = [value, {"a": value}]
    return value


LARGE = [
    ("text", lambda: "x" * (50 * MIB)),
    ("text of four bytes", lambda: "\U0001f600" * (5 * MIB)),
    ("list", lambda: list(range(2_000_000))),
    ("dict", lambda: {number: number for number in range(500_000)}),
    ("list of texts", lambda: ["x" * 100_000] * 1000),
    ("set", lambda: set(range(300_000))),
    ("shared bomb", shared_bomb),
    ("model bomb", model_bomb),
    ("cycle bomb", cycle_bomb),
]


@pytest.mark.parametrize("make", [case[1] for case in LARGE], ids=[case[0] for case in LARGE])
def test_large(make: Any) -> None:
    frozen, size = freeze({"prompt": make(), "model": "m", "tokens_input": 7})
    # Room for what is bound by it, and for the marks of what was left out.
    assert size <= SNAPSHOT_BYTES_MAX + 64 * 1024
    event = thaw(frozen)
    assert event["model"] == "m" and event["tokens_input"] == 7
    text = json.dumps(event["prompt"], ensure_ascii=False)
    assert len(text.encode()) < 2 * SNAPSHOT_BYTES_MAX
    assert "truncated" in text or "circular" in text or "too deep" in text


def test_truncation_says_how_much() -> None:
    assert plain("x" * (MIB + 5)).endswith(f"x\u2026 [truncated, {MIB + 5} characters in all]")
    assert plain(["x" * MIB])[0] == "x" * MIB


def test_later_changes_change_nothing() -> None:
    message = {"role": "user", "content": ["a"]}
    card = Card("before", "s", [1])
    fields = {"prompt": [message], "response": card, "attributes": {"deep": {"set": {1}}}}
    frozen, _ = freeze(dict(fields))
    message["content"].append("b")  # type: ignore[attr-defined]
    message["role"] = "changed"
    card.name = "after"
    card.parts.append(2)
    fields["attributes"]["deep"]["set"].add(2)  # type: ignore[index]
    assert thaw(frozen) == {
        "prompt": [{"role": "user", "content": ["a"]}],
        "response": {"name": "before", "parts": [1]},
        "attributes": {"deep": {"set": [1]}},
    }


def test_changed_by_another_thread_meanwhile() -> None:
    shared: Dict[str, Any] = {str(number): [number] for number in range(100)}
    ending = threading.Event()

    def change() -> None:
        number = 0
        while not ending.is_set():
            number += 1
            shared[f"new {number % 1000}"] = [number]
            shared.pop(f"new {(number * 7) % 1000}", None)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(30):
            assert plain(shared)["5"] == [5]
    finally:
        ending.set()
        thread.join()


def random_value(choice: random.Random, depth: int) -> Any:
    leaves: List[Callable[[], Any]] = [
        lambda: choice.choice(["", "a", "\ud800", "\x00\x1f", "\U0001f600" * 9, "long " * 200]),
        lambda: choice.choice([0, -1, 2**53, -(2**70), 1 << 5000]),
        lambda: choice.choice([0.1, -0.0, 1e308, math.nan, math.inf, 5e-324]),
        lambda: choice.choice([None, True, False]),
        lambda: choice.choice(
            [b"a", b"\xff", bytearray(9), 3j, Color.RED, BadRepr(), BadClass(), Text("t")]
        ),
        lambda: choice.choice(
            [decimal.Decimal("1e-400"), datetime.datetime.now(), ValueError("\udfff"), object]
        ),
        lambda: choice.choice(
            [Card("n", "s"), Model(a=1), BrokenModel(), Point(1, 2), Scalar(), MagicMock]
        ),
    ]
    if depth == 0 or choice.random() < 0.4:
        return choice.choice(leaves)()
    size = choice.randrange(4)
    entries = [random_value(choice, depth - 1) for _ in range(size)]
    keys = [choice.choice(["k", 1, None, (1,), "\udc00", b"k", 2.5, BadKey()]) for _ in range(size)]
    kind = choice.randrange(6)
    if kind == 0:
        return dict(zip(keys, entries))
    if kind == 1:
        return tuple(entries)
    if kind == 2:
        return Model(**{str(number): entry for number, entry in enumerate(entries)})
    if kind == 3:
        cycle: List[Any] = list(entries)
        cycle.append(cycle)
        return cycle
    if kind == 4:
        return collections.deque(entries)
    return list(entries)


def is_plain(value: Any) -> bool:
    if type(value) is dict:
        return all(type(key) is str and is_plain(entry) for key, entry in value.items())
    if type(value) is list:
        return all(is_plain(entry) for entry in value)
    if type(value) is float:
        return math.isfinite(value)
    return value is None or type(value) in (str, int, bool)


def test_anything_becomes_json() -> None:
    """Seeded: a failure prints its seed."""
    for seed in range(1000):
        value = random_value(random.Random(seed), 5)
        result = plain(value)
        assert is_plain(result), seed
        json.dumps(result, allow_nan=False)
