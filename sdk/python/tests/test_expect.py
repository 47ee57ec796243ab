"""Assertions where the code runs; the events that they become are in sdk/conformance."""

from __future__ import annotations

import re
from typing import Any, List, Optional

import pytest
from conftest import Start
from receiver import Receiver

import aisentry
from aisentry._expect import misfit


class Model:
    """As pydantic's models are asked."""

    @staticmethod
    def model_validate(value: Any) -> None:
        if value != {"ok": True}:
            raise ValueError("not ok")


# A value, a shape, and what is said of them.
SHAPES: List[Any] = [
    ({"a": 1}, {"a": int}, None),
    ({"a": 1.5}, {"a": float}, None),
    ({"a": 1}, {"a": float}, None),
    ({"a": True}, {"a": int}, "it.a is no int"),
    ({"a": "x"}, {"a": (int, str)}, None),
    ({"a": []}, {"a": (int, str)}, "it.a is none of 2 alternatives"),
    ({"a": "x"}, {"a": {"x", "y"}}, None),
    ({"a": "z"}, {"a": {"x", "y"}}, "it.a is none of the values allowed"),
    ({"a": []}, {"a": {"x"}}, "it.a is none of the values allowed"),
    ({"a": [1, "b"]}, {"a": [int]}, "it.a[1] is no int"),
    ({}, {"a?": int}, None),
    ({"a?": 1}, {"a": int}, "it.a is missing"),
    ([], list, None),
    ({}, list, "it is no list"),
    (None, None, None),
    (0, None, "it is not null"),
    ({"ok": True}, Model, None),
    ({}, Model, "it is no Model: not ok"),
    (5, "integer", None),
    (5, "made up", "it is no made up"),
    (5, object(), "it is tested by a shape that is none"),
    (5, Any, None),
]


@pytest.mark.parametrize("value,shape,said", SHAPES)
def test_shapes(value: Any, shape: Any, said: Optional[str]) -> None:
    assert misfit(value, shape) == said


class Hostile:
    def __contains__(self, item: Any) -> bool:
        raise RuntimeError("no")

    def __len__(self) -> int:
        raise RuntimeError("no")

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


@pytest.mark.parametrize("value", [None, 5, Hostile(), b"\xff", "\ud800", float("nan")])
def test_no_value_makes_a_check_raise(value: Any, receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    checked = (
        aisentry.expect(value)
        .json({"a": int})
        .contains("x")
        .lacks("y")
        .matches("(")
        .matches(re.compile("z"))
        .length(3, 1)
        .latency(1)
        .satisfies(lambda _: 1 / 0)
    )
    assert not checked and len(checked.failures) >= 6
    assert aisentry.flush(10) and len(receiver.taken) == len(checked.failures)


def test_latency_of_the_span(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    with aisentry.span("work"):
        assert aisentry.expect().latency(60_000)
        assert not aisentry.expect().latency(0.0)


def test_without_a_client() -> None:
    checked = aisentry.expect("x", "named").contains("y").contains("x")
    assert checked.failures == ["named: lacks 'y'"] and not checked.ok
    with pytest.raises(AssertionError, match="named: lacks"):
        aisentry.expect("x", "named", raises=True).contains("y")
