"""The public functions: what each sends, and that none of them is ever in the way."""

from __future__ import annotations

import signal
import threading
from typing import Any, Callable, Dict, List, Tuple

import pytest
from conftest import Start
from receiver import HANG, KEY, Receiver

import aisentry
from aisentry._lifecycle import lifecycle

# A call; the fields that it sends beside those of every event.
CALLS: List[Tuple[str, Callable[[], Any], Dict[str, Any]]] = [
    (
        "prompt call",
        lambda: aisentry.log_prompt_call(model="m", tokens_input=1),
        {"event_type": "prompt_call", "model": "m", "tokens_input": 1},
    ),
    (
        "tool call",
        lambda: aisentry.log_tool_call("search", input={"q": 1}),
        {"event_type": "tool_call", "tool_name": "search", "input": {"q": 1}},
    ),
    (
        "tool call by keyword",
        lambda: aisentry.log_tool_call(tool_name="t"),
        {"event_type": "tool_call", "tool_name": "t"},
    ),
    (
        "agent step",
        lambda: aisentry.log_agent_step(step_number=2),
        {"event_type": "agent_step", "step_number": 2},
    ),
    (
        "error text",
        lambda: aisentry.log_error("bad", context=1),
        {"event_type": "error", "error": "bad", "context": 1},
    ),
    (
        "error fields",
        lambda: aisentry.log_error({"message": "bad", "code": "E1"}),
        {"event_type": "error", "error": {"message": "bad", "code": "E1"}},
    ),
    ("no error", lambda: aisentry.log_error(), {"event_type": "error", "error": "unknown"}),
    (
        "assertion",
        lambda: aisentry.log_assertion_failed("is_json", severity="low"),
        {"event_type": "assertion_failed", "assertion_name": "is_json", "severity": "low"},
    ),
    (
        "hallucination",
        lambda: aisentry.log_hallucination(confidence_score=0.5),
        {"event_type": "hallucination_detected", "confidence_score": 0.5},
    ),
    (
        "event",
        lambda: aisentry.log_event("performance_alert", threshold=5),
        {"event_type": "performance_alert", "threshold": 5},
    ),
    (
        "score",
        lambda: aisentry.score("helpful", 0.5),
        {"event_type": "score", "name": "helpful", "score_value": 0.5},
    ),
    (
        "score by keyword",
        lambda: aisentry.score(name="helpful", score_value=1),
        {"event_type": "score", "name": "helpful", "score_value": 1},
    ),
    (
        "score yes",
        lambda: aisentry.score("helpful", True),
        {"event_type": "score", "name": "helpful", "score_value": 1.0},
    ),
    (
        "score word",
        lambda: aisentry.score("tone", "kind"),
        {"event_type": "score", "name": "tone", "score_label": "kind"},
    ),
]


@pytest.mark.parametrize(
    "call,expected", [case[1:] for case in CALLS], ids=[case[0] for case in CALLS]
)
def test_calls(
    call: Callable[[], Any], expected: Dict[str, Any], receiver: Receiver, start: Start
) -> None:
    assert call() is None
    start(receiver.dsn)
    event_id = call()
    assert aisentry.flush(10)
    event = receiver.taken[0]
    assert event.pop("event_id") == event_id
    assert (
        event.pop("timestamp").endswith("Z")
        and event.pop("client")
        and event.pop("project_id") == "demo"
    )
    assert event == expected
    aisentry.close()
    assert call() is None


def test_exception(receiver: Receiver, start: Start) -> None:
    class Limit(Exception):
        status_code = 429

    start(receiver.dsn)
    try:
        try:
            {}["missing"]  # type: ignore[index]
        except KeyError as error:
            raise Limit("slow down") from error
    except Limit:
        aisentry.log_error()
    assert aisentry.flush(10)
    sent = receiver.taken[0]["error"]
    assert sent["message"] == "slow down" and sent["code"] == 429
    assert sent["type"].endswith("Limit")
    assert "KeyError: 'missing'" in sent["stack"] and 'raise Limit("slow down")' in sent["stack"]


def test_sampling(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn, sample_rate=0.5)
    for name in ("run-1", "run-2", "a"):
        with aisentry.run(name, run_id=name):
            aisentry.log_prompt_call(model="m")
            if name == "a":
                aisentry.log_error("always")
    assert aisentry.flush(10)
    kept = sorted((event["run_id"], event["event_type"]) for event in receiver.taken)
    # run-1 lies at 0.17, run-2 at 0.70 and a at 0.91.
    assert kept == [("a", "error"), ("run-1", "prompt_call"), ("run-1", "span")]
    assert aisentry.stats()["dropped"] == {"sampled_out": 4}


def test_sampling_without_a_run(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn, sample_rate=0.3)
    logged = [aisentry.log_prompt_call(model="m") for _ in range(300)]
    assert aisentry.flush(10)
    assert receiver.ids() == [event_id for event_id in logged if event_id is not None]
    assert 50 < len(receiver.taken) < 130


@pytest.mark.parametrize(
    "given,env", [("1.5", None), (-1, None), ("x", None), (None, "many"), (float("nan"), None)]
)
def test_nonsense_sample_rate(
    given: Any, env: Any, monkeypatch: pytest.MonkeyPatch, warnings: List[str]
) -> None:
    if env is not None:
        monkeypatch.setenv("AISENTRY_SAMPLE_RATE", env)
    aisentry.init("http://k@127.0.0.1:9/p", sample_rate=given)
    assert lifecycle.client is not None and lifecycle.client.settings.sample_rate == 1.0
    assert len(warnings) == 1


def test_environment(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DSN": receiver.dsn,
        "RELEASE": "2.0",
        "ENVIRONMENT": "staging",
        "SAMPLE_RATE": "1.0",
    }.items():
        monkeypatch.setenv(f"AISENTRY_{name}", value)
    aisentry.init()
    aisentry.log_prompt_call(model="a")
    aisentry.log_prompt_call(model="b", release="3.0")
    assert aisentry.flush(10)
    assert [(event["release"], event["env"]) for event in receiver.taken] == [
        ("2.0", "staging"),
        ("3.0", "staging"),
    ]
    aisentry.init(release="2.1", env="test")
    aisentry.log_prompt_call(model="c")
    assert aisentry.flush(10)
    assert (receiver.taken[2]["release"], receiver.taken[2]["env"]) == ("2.1", "test")


@pytest.mark.parametrize(
    "value,records",
    [
        ("0", False),
        ("false", False),
        ("OFF", False),
        ("no", False),
        ("1", True),
        ("", True),
        ("true", True),
    ],
)
def test_enabled(value: str, records: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISENTRY_ENABLED", value)
    aisentry.init("http://k@127.0.0.1:9/p")
    assert (lifecycle.client is not None) is records
    aisentry.init("http://k@127.0.0.1:9/p", enabled=False)
    assert lifecycle.client is None


def test_init_again(receiver: Receiver) -> None:
    threads = threading.active_count()
    for _ in range(20):
        aisentry.init(receiver.dsn, tags=["a"])
        aisentry.log_prompt_call(model="m")
    client = lifecycle.client
    # The worker's is the only new one, beside those of the receiver.
    assert len([thread for thread in threading.enumerate() if thread.name == "aisentry"]) <= threads
    assert aisentry.flush(10) and len(receiver.taken) == 20
    aisentry.log_prompt_call(model="before")
    aisentry.init(receiver.dsn, tags=["b"])
    assert lifecycle.client is not client
    # What the first still had is sent by it.
    receiver.wait(lambda seen: len(seen.taken) == 21)


def test_close(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn, {"batch_age_s_max": 100.0})
    aisentry.log_prompt_call(model="m")
    assert aisentry.close(10) and len(receiver.taken) == 1
    assert aisentry.close() and aisentry.flush()
    assert aisentry.stats()["sent"] == 1
    start(receiver.dsn)
    aisentry.log_prompt_call(model="m")
    assert aisentry.flush(10) and len(receiver.taken) == 2


def test_close_does_not_wait_for_a_server_that_hangs(
    receiver: Receiver, start: Start, warnings: List[str]
) -> None:
    receiver.script = [HANG]
    start(receiver.dsn, {"answer_s_max": 60.0, "batch_age_s_max": 0.0})
    aisentry.log_prompt_call(model="m")
    receiver.wait(lambda seen: len(seen.requests) == 1)
    for _ in range(10):
        aisentry.log_prompt_call(model="m")
    assert not aisentry.close(0.1)
    stats = aisentry.stats()
    assert stats["dropped"] == {"closed": 10} and stats["queued"] == 1
    assert len(warnings) == 1 and "11 events" in warnings[0]


def test_close_during_backoff_tries_no_more(start: Start) -> None:
    start("http://k@127.0.0.1:9/p", {"retry_first_s": 1000.0, "retry_delay_s_max": 1000.0})
    for _ in range(500):
        aisentry.log_prompt_call(model="m")
    assert aisentry.close(10)
    assert aisentry.stats()["dropped"] == {"closed": 500}


def test_flush_gives_up_in_time(receiver: Receiver, start: Start) -> None:
    receiver.script = [HANG]
    start(receiver.dsn, {"answer_s_max": 60.0})
    aisentry.log_prompt_call(model="m")
    assert not aisentry.flush(0.1) and not aisentry.flush(0) and not aisentry.flush(-1)


def test_who(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn, user_id="init", tags=["init"])

    def sent() -> Any:
        aisentry.log_prompt_call(model="m")
        assert aisentry.flush(10)
        event = receiver.taken[-1]
        return event.get("user_id"), event.get("session_id"), event.get("tags")

    assert sent() == ("init", None, ["init"])
    aisentry.set_user(5)
    aisentry.set_session("s")
    aisentry.set_tags(["a", "init"])
    assert sent() == ("5", "s", ["init", "a"])
    aisentry.set_user(None)
    aisentry.set_tags([])
    assert sent() == (None, "s", ["init"])
    aisentry.set_tags("one")
    assert sent() == (None, "s", ["init", "one"])


def test_an_event_may_say_more_than_its_surroundings(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn, user_id="u", tags=["a"])
    aisentry.log_prompt_call(
        user_id="other", tags=["b"], event_id="mine", env="e", client={"hostname": "h"}
    )
    assert aisentry.flush(10)
    event = receiver.taken[0]
    assert (event["user_id"], event["tags"], event["event_id"], event["env"]) == (
        "other",
        ["a", "b"],
        "mine",
        "e",
    )
    assert event["client"] == {"hostname": "h"}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer signals")
def test_logging_in_a_signal_handler(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    handled: List[Any] = []
    before = signal.signal(
        signal.SIGALRM, lambda *_: handled.append(aisentry.log_prompt_call(model="signal"))
    )
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        plain = [aisentry.log_prompt_call(model="plain") for _ in range(5000)]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert aisentry.flush(20)
    assert handled and sorted(receiver.ids()) == sorted(plain + handled)


def test_key_is_nowhere_but_in_the_header(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    aisentry.log_prompt_call(model="m")
    assert aisentry.flush(10)
    assert KEY not in str(receiver.taken) and KEY in receiver.requests[0].headers["authorization"]


def test_debug(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import logging

    logger = logging.getLogger("aisentry")
    state = logger.level, logger.propagate, list(logger.handlers)
    try:
        monkeypatch.setenv("AISENTRY_DEBUG", "1")
        for _ in range(3):
            aisentry.init("nonsense")
        assert capsys.readouterr().err.count("aisentry: The DSN") == 3
    finally:
        logger.level, logger.propagate, logger.handlers[:] = state[0], state[1], state[2]
        logging.getLogger().manager._clear_cache()  # type: ignore[attr-defined]


def test_stats_before_anything() -> None:
    assert set(aisentry.stats()) == {"logged", "sent", "queued", "spooled", "dropped"}


def test_public_names() -> None:
    assert [name for name in aisentry.__all__ if not hasattr(aisentry, name)] == []
