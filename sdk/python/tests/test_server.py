"""Against a real server: what is logged here is what its API answers."""

from __future__ import annotations

import urllib.error
import uuid
from typing import Any, Dict, Iterator, Tuple

import pytest
from conftest import Start
from watchllm import COMMAND, DEADLINE_S, GIVEN_DSN, get, serve, text_of, until

import aisentry
from aisentry._dsn import Dsn, parse_dsn

pytestmark = pytest.mark.skipif(
    not COMMAND and not GIVEN_DSN, reason="neither AISENTRY_TEST_DSN nor AISENTRY_TEST_SERVER_CMD"
)


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dsn]:
    for text in serve(tmp_path_factory.mktemp("data")):
        parsed = parse_dsn(text)
        assert isinstance(parsed, Dsn)
        yield parsed


def stored(dsn: Dsn, event_id: Any) -> Dict[str, Any]:
    def found() -> Any:
        try:
            return get(dsn, f"/api/events/{event_id}?project_id={dsn.project_id}")
        except urllib.error.HTTPError as error:
            assert error.code == 404, error.read()
            return None

    event: Dict[str, Any] = until(found, f"event {event_id}")
    return event


def log_one_of_each(run_id: str) -> Dict[str, Tuple[Any, Dict[str, Any]]]:
    """Id and expected fields of each."""
    message = [{"role": "user", "content": "Zo\u00eb \U0001f600"}]
    logged: Dict[str, Tuple[Any, Dict[str, Any]]] = {}
    with aisentry.run(
        "everything", run_id=run_id, user_id="u-1", session_id="s-1", tags=["t"]
    ) as active:
        logged["prompt_call"] = (
            aisentry.log_prompt_call(
                model="gpt-4o",
                provider="openai",
                prompt=message,
                response="Hi",
                tokens_input=3,
                latency_ms=0,
            ),
            {
                "model": "gpt-4o",
                "prompt": message,
                "response": "Hi",
                "tokens_input": 3,
                "latency_ms": 0,
                "status": "success",
            },
        )
        logged["tool_call"] = (
            aisentry.log_tool_call("search", input={"q": [1, None]}, output="sunny"),
            {"tool_name": "search", "input": {"q": [1, None]}, "output": "sunny"},
        )
        logged["agent_step"] = (
            aisentry.log_agent_step(step_number=1, step_type="reasoning", reasoning="first"),
            {"step_number": 1, "step_type": "reasoning", "reasoning": "first"},
        )
        try:
            raise ValueError("bad \ud800 text")
        except ValueError:
            logged["error"] = (
                aisentry.log_error(context={"n": 2**60}),
                {"status": "error", "context": {"n": str(2**60)}},
            )
        logged["assertion_failed"] = (
            aisentry.log_assertion_failed("is_json", expected={}, actual="x", severity="low"),
            {"assertion_name": "is_json", "severity": "low", "status": "assertion_failed"},
        )
        logged["hallucination_detected"] = (
            aisentry.log_hallucination(
                flagged_content="x", confidence_score=0.5, detection_method="heuristic"
            ),
            {"confidence_score": 0.5, "detection_method": "heuristic"},
        )
        logged["score"] = (aisentry.score("helpful", 0.5), {"name": "helpful", "score_value": 0.5})
        logged["performance_alert"] = (
            aisentry.log_event(
                "performance_alert", alert_type="latency_spike", threshold=1.5, made_up={"a": 1}
            ),  # type: ignore[call-arg]
            {"alert_type": "latency_spike", "threshold": 1.5, "attributes": {"made_up": {"a": 1}}},
        )
        active.set(output="done")
    return logged


def test_every_kind_of_event(dsn: Dsn, start: Start) -> None:
    start(text_of(dsn), release="1.2.3", env="test")
    run_id = uuid.uuid4().hex
    logged = log_one_of_each(run_id)
    assert aisentry.flush(DEADLINE_S)
    assert aisentry.stats()["sent"] == len(logged) + 1 and aisentry.stats()["dropped"] == {}
    for event_type, (event_id, fields) in logged.items():
        event = stored(dsn, event_id)
        shared = {
            "event_type": event_type,
            "run_id": run_id,
            "user_id": "u-1",
            "session_id": "s-1",
            "tags": ["t"],
        }
        assert {name: event.get(name) for name in {**shared, **fields}} == {**shared, **fields}
        assert event["release"] == "1.2.3" and event["client"]["sdk_version"].startswith(
            "aisentry-python/"
        )


def test_a_run(dsn: Dsn, start: Start) -> None:
    start(text_of(dsn))
    run_id = uuid.uuid4().hex
    logged = log_one_of_each(run_id)
    assert aisentry.flush(DEADLINE_S)

    def complete() -> Any:
        try:
            tree = get(dsn, f"/api/runs/{run_id}?project_id={dsn.project_id}")
        except urllib.error.HTTPError as error:
            assert error.code == 404, error.read()
            return None
        return tree if len(tree["events"]) == len(logged) + 1 else None

    tree = until(complete, "the run's events")
    assert tree["run"]["name"] == "everything" and tree["run"]["status"] == "error"
    assert [event["depth"] for event in tree["events"]] == [0] + [1] * len(logged)
    assert not any(event["parent_missing"] for event in tree["events"])


def test_sent_twice_stored_once(dsn: Dsn, start: Start) -> None:
    start(text_of(dsn))
    event_id = uuid.uuid4().hex
    for _ in range(3):
        aisentry.log_prompt_call(event_id=event_id, model="m")
        assert aisentry.flush(DEADLINE_S)
    assert aisentry.stats()["sent"] == 3
    assert stored(dsn, event_id)["model"] == "m"


def test_a_refused_event_does_not_harm_its_neighbours(dsn: Dsn, start: Start) -> None:
    start(text_of(dsn), {"batch_age_s_max": 5.0})
    aisentry.log_prompt_call(model="m", event_id="x" * 200)
    event_id = aisentry.log_prompt_call(model="m")
    assert aisentry.flush(DEADLINE_S)
    assert aisentry.stats()["dropped"] == {"rejected": 1} and aisentry.stats()["sent"] == 1
    assert stored(dsn, event_id)["model"] == "m"


def test_a_wrong_key(dsn: Dsn, start: Start) -> None:
    start(text_of(dsn, "no-such-key-no-such-key"))
    aisentry.log_prompt_call(model="m")
    assert aisentry.flush(DEADLINE_S)
    assert aisentry.stats()["dropped"] == {"unauthorized": 1}


def test_large_payloads(dsn: Dsn, start: Start) -> None:
    start(text_of(dsn))
    sizes = [10, 100_000, 1_000_000, 5_000_000]
    ids = [aisentry.log_prompt_call(model="m", prompt="\u00e9x" * (size // 2)) for size in sizes]
    assert aisentry.flush(DEADLINE_S)
    assert aisentry.stats()["sent"] == len(sizes)
    lengths = [len(stored(dsn, event_id)["prompt"]) for event_id in ids]
    assert lengths[:3] == sizes[:3] and lengths[3] < 1_100_000
