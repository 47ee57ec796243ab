"""Sampling: the same runs everywhere, and failures always."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import pytest

from aisentry._sampling import run_is_kept, went_wrong

# The least rate, in millionths, at which a run is kept.
RUNS: List[Tuple[str, int]] = [
    ("a", 909054),
    ("run-1", 165721),
    ("run-2", 700775),
    ("0190a5d8-7b1e-7c3a-9f00-000000000001", 724369),
    ("Zo\u00eb", 404972),
    ("\u65e5\u672c", 780148),
]


@pytest.mark.parametrize("run_id,millionths", RUNS)
def test_runs(run_id: str, millionths: int) -> None:
    assert run_is_kept(run_id, (millionths + 2) / 1e6)
    assert not run_is_kept(run_id, (millionths - 2) / 1e6)
    assert run_is_kept(run_id, 1.0) and not run_is_kept(run_id, 0.0)


def test_lone_surrogate_is_the_replacement_character() -> None:
    assert [run_is_kept("\ud800", rate / 100) for rate in range(100)] == [
        run_is_kept("\ufffd", rate / 100) for rate in range(100)
    ]


def test_share() -> None:
    kept = sum(run_is_kept(f"run-{number}", 0.25) for number in range(10_000))
    assert 2300 < kept < 2700


@pytest.mark.parametrize(
    "event_type,fields,is_failure",
    [
        ("prompt_call", {}, False),
        ("prompt_call", {"status": "success"}, False),
        ("prompt_call", {"status": "success", "error": "x"}, False),
        ("prompt_call", {"status": "timeout"}, True),
        ("prompt_call", {"status": "warning"}, True),
        ("prompt_call", {"error": "x"}, True),
        ("prompt_call", {"status": None, "error": None}, False),
        ("error", {}, True),
        ("assertion_failed", {}, True),
        ("hallucination_detected", {}, False),
    ],
)
def test_failures(event_type: str, fields: Dict[str, Any], is_failure: bool) -> None:
    assert went_wrong(event_type, fields) is is_failure
