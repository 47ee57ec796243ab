"""Names, kinds and values are the server's. Reads its field table when the checkout has it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from aisentry import _fields

SOURCE = Path(__file__).resolve().parents[3] / "src" / "event.ts"
needs_source = pytest.mark.skipif(not SOURCE.exists(), reason="outside of the repository")


def rows() -> List[Dict[str, Any]]:
    text = SOURCE.read_text(encoding="utf-8")
    constants = {
        name: re.findall(r'"([^"]+)"', body)
        for name, body in re.findall(r"export const (\w+) = \[([^\]]*)\] as const", text)
    }
    table = text[text.index("export const fields") :]
    table = table[: table.index("] as const satisfies")]
    found: List[Dict[str, Any]] = []
    for row in re.findall(r"\{\s*id: \d+,.*?help:", table, re.S):
        value = re.search(r"values: (?:\[([^\]]*)\]|(\w+))", row)
        values: Tuple[str, ...] = ()
        if value:
            values = tuple(
                constants[value.group(2)]
                if value.group(2)
                else re.findall(r'"([^"]+)"', value.group(1))
            )
        least, most = re.search(r"min: (-?\d+)", row), re.search(r"max: (-?\d+)", row)
        found.append(
            {
                "name": re.search(r'name: "(\w+)"', row).group(1),  # type: ignore[union-attr]
                "kind": re.search(r'kind: "(\w+)"', row).group(1),  # type: ignore[union-attr]
                "values": values,
                "min": float(least.group(1)) if least else None,
                "max": float(most.group(1)) if most else None,
                "derived": "derived:" in row,
            }
        )
    return [row for row in found if not row["derived"]]


@needs_source
def test_names_and_kinds() -> None:
    kinds = {row["name"]: row["kind"] for row in rows()}
    assert len(kinds) > 60
    assert _fields.KINDS == kinds


@needs_source
def test_values() -> None:
    assert _fields.VALUES == {row["name"]: row["values"] for row in rows() if row["values"]}


@needs_source
def test_ranges() -> None:
    infinity = float("inf")
    bounded = [row for row in rows() if row["kind"] == "number" and row["min"] is not None]
    assert _fields.RANGES == {
        row["name"]: (row["min"], infinity if row["max"] is None else row["max"]) for row in bounded
    }


def test_keywords() -> None:
    """log_event takes every field but those that init() or its first argument say."""
    keywords = set(_fields.EventFields.__annotations__)
    for base in ("_EveryFields", "CommonFields", "SpanFields", "PromptCallFields"):
        assert set(getattr(_fields, base).__annotations__) <= keywords
    assert keywords == set(_fields.KINDS) - {"project_id", "event_type"}


def test_literals() -> None:
    """The types that editors complete are the values that are checked."""
    text = Path(_fields.__file__).read_text(encoding="utf-8")
    literals = {
        name: tuple(re.findall(r'"([^"]+)"', body))
        for name, body in re.findall(r"(\w+) = Literal\[(.*?)\]", text, re.S)
    }
    names = {
        "EventType": "event_type",
        "Status": "status",
        "StepType": "step_type",
        "AssertionType": "assertion_type",
        "Severity": "severity",
        "DetectionMethod": "detection_method",
        "AlertType": "alert_type",
    }
    del literals["SpanKind"]
    told = {names[name]: values for name, values in literals.items()}
    assert {**told, "received_as": ("span", "log")} == _fields.VALUES
