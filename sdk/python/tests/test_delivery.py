"""Faults of a real server: nothing is lost that need not be, nothing is sent twice as new, and
the program
neither waits nor sees an error."""

from __future__ import annotations

import email.utils
import json
import time
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
from conftest import Start
from receiver import CLOSE, GARBAGE, HANG, KEY, RESET, Answer, Receiver, problem

import aisentry
from aisentry._http import retry_after_s

HERE = Path(__file__).parent


def log(count: int = 1, **fields: Any) -> List[str]:
    ids = [aisentry.log_prompt_call(model=f"m{number}", **fields) for number in range(count)]
    return [event_id for event_id in ids if event_id is not None]


# Faults in a row, after which the server takes events. None is lost, each arrives once.
TRANSIENT: List[Tuple[str, List[Any]]] = [
    ("reset", [RESET, RESET]),
    ("closed without an answer", [CLOSE]),
    ("garbage", [GARBAGE, GARBAGE]),
    ("500", [Answer(500, {}, b"oops")]),
    ("503 with a problem", [problem(503, "Busy")]),
    ("507", [problem(507, "The disk is full.")]),
    ("408", [Answer(408)]),
    ("429 without a time", [Answer(429)]),
    ("one of each", [RESET, Answer(500), GARBAGE, Answer(429), CLOSE, Answer(502)]),
]


@pytest.mark.parametrize(
    "script", [case[1] for case in TRANSIENT], ids=[case[0] for case in TRANSIENT]
)
def test_transient(
    script: List[Any], receiver: Receiver, start: Start, warnings: List[str]
) -> None:
    receiver.script = list(script)
    start(receiver.dsn)
    ids = log(3)
    assert aisentry.flush(20)
    assert receiver.ids() == ids
    assert aisentry.stats() == {"logged": 3, "sent": 3, "queued": 0, "spooled": 0, "dropped": {}}
    assert len(warnings) == 1 and KEY not in warnings[0]
    # Every attempt has the same ids: the server can tell that it is the same.
    assert (
        len(
            {
                json.dumps([event["event_id"] for event in request.events])
                for request in receiver.requests
            }
        )
        == 1
    )


def test_hang(receiver: Receiver, start: Start) -> None:
    receiver.script = [HANG]
    start(receiver.dsn, {"answer_s_max": 0.2})
    ids = log(2)
    assert aisentry.flush(20)
    assert receiver.ids() == ids and len(receiver.requests) == 2


def test_nobody_listens(start: Start, warnings: List[str]) -> None:
    start("http://k@127.0.0.1:9/p", {"retry_s_max": 0.05})
    log(5)
    assert aisentry.flush(20)
    assert aisentry.stats()["dropped"] == {"send_failed": 5}
    assert len(warnings) == 1


def test_the_connection_is_kept(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    for _ in range(5):
        log()
        assert aisentry.flush(10)
    assert len(receiver.requests) == 5 and receiver.connections == 1


def test_a_kept_connection_that_was_closed_is_no_failure(
    receiver: Receiver, start: Start, warnings: List[str]
) -> None:
    receiver.script = [None, CLOSE]
    start(receiver.dsn, {"retry_first_s": 100.0, "retry_delay_s_max": 100.0})
    ids = log()
    assert aisentry.flush(10)
    ids += log()
    assert aisentry.flush(10)
    assert receiver.ids() == ids and warnings == []


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_a_minimum(status: int, form: str, receiver: Receiver, start: Start) -> None:
    # A date has whole seconds: two ahead is at least one.
    header = "1" if form == "seconds" else email.utils.formatdate(time.time() + 2, usegmt=True)
    receiver.script = [Answer(status, {"retry-after": header})]
    start(receiver.dsn)
    log()
    assert aisentry.flush(20)
    first, second = receiver.requests
    assert second.at - first.at > 0.9


@pytest.mark.parametrize(
    "header,seconds",
    [
        (None, None),
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("1e9", None),
        ("9" * 5000, 9999999999.0),
    ],
)
def test_retry_after(header: Any, seconds: Any) -> None:
    assert retry_after_s(header, 100.0) == seconds


def test_a_long_retry_after_is_bounded(receiver: Receiver, start: Start) -> None:
    receiver.script = [Answer(429, {"retry-after": "999999"})]
    start(receiver.dsn, {"retry_after_s_max": 0.05})
    ids = log()
    assert aisentry.flush(20) and receiver.ids() == ids


def test_retries_end(receiver: Receiver, start: Start, warnings: List[str]) -> None:
    receiver.script = [Answer(503)] * 1000
    start(receiver.dsn, {"retry_s_max": 0.1})
    log(3)
    assert aisentry.flush(20)
    assert aisentry.stats()["dropped"] == {"send_failed": 3}
    assert 2 < len(receiver.requests) < 1000 and len(warnings) == 1


@pytest.mark.parametrize("status", [408, 500, 501])
def test_a_batch_that_the_server_fails_on(status: int, receiver: Receiver, start: Start) -> None:
    """It does not stop those behind it for ever."""
    receiver.script = [Answer(503)] * 20 + [Answer(status)] * 10
    start(receiver.dsn)
    log(3)
    assert aisentry.flush(20)
    assert aisentry.stats()["dropped"] == {"send_failed": 3} and len(receiver.requests) == 30
    ids = log(1)
    assert aisentry.flush(20) and receiver.ids() == ids


def test_flush_does_not_wait_for_the_backoff(receiver: Receiver, start: Start) -> None:
    receiver.script = [Answer(500)]
    start(
        receiver.dsn, {"batch_age_s_max": 0.0, "retry_first_s": 1000.0, "retry_delay_s_max": 1000.0}
    )
    ids = log()
    receiver.wait(lambda seen: len(seen.requests) == 1)
    deadline = time.monotonic() + 20
    while not aisentry.flush(0.2):
        assert time.monotonic() < deadline
    assert receiver.ids() == ids


def size_limit(events_max: int) -> Any:
    return lambda request: Answer(413) if len(request.events) > events_max else None


@pytest.mark.parametrize("events_max", [1, 3, 10])
def test_413_halves(events_max: int, receiver: Receiver, start: Start) -> None:
    receiver.script = [size_limit(events_max)] * 100
    start(receiver.dsn)
    ids = log(25)
    assert aisentry.flush(20)
    assert sorted(receiver.ids()) == sorted(ids)
    assert aisentry.stats()["sent"] == 25 and aisentry.stats()["dropped"] == {}


def test_413_of_one_event(receiver: Receiver, start: Start, warnings: List[str]) -> None:
    receiver.script = [lambda request: Answer(413) if "huge" in str(request.events) else None] * 100
    start(receiver.dsn)
    ids = log(3)
    log(1, prompt="huge")
    ids += log(3)
    assert aisentry.flush(20)
    assert sorted(receiver.ids()) == sorted(ids)
    assert aisentry.stats()["dropped"] == {"too_large": 1} and len(warnings) == 1


def test_an_event_beyond_the_servers_bound(
    receiver: Receiver, start: Start, warnings: List[str]
) -> None:
    start(receiver.dsn, {"event_bytes_max": 1000})
    log(1, prompt="x" * 2000)
    ids = log(1)
    assert aisentry.flush(20)
    assert receiver.ids() == ids and aisentry.stats()["dropped"] == {"too_large": 1}


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_ends_it(
    status: int, receiver: Receiver, start: Start, warnings: List[str]
) -> None:
    receiver.script = [problem(status, "No such key.")] * 10
    start(receiver.dsn)
    log(3)
    assert aisentry.flush(20)
    assert log(2) == []
    assert aisentry.flush(20)
    assert len(receiver.requests) == 1
    assert aisentry.stats()["dropped"] == {"unauthorized": 5}
    assert len(warnings) == 1 and "No such key" in warnings[0] and KEY not in warnings[0]


REJECTED = [
    {
        "index": 1,
        "event_id": None,
        "field": "tool_name",
        "reason": "missing_field",
        "message": "Say which.",
    }
]

# An answer to three events; what is counted; a word of the one warning.
VERDICTS: List[Tuple[str, Answer, int, Dict[str, int], str]] = [
    ("taken", Answer(202, {}, b'{"accepted": 3, "duplicates": 0, "rejected": []}'), 3, {}, ""),
    ("duplicates", Answer(202, {}, b'{"accepted": 0, "duplicates": 3, "rejected": []}'), 3, {}, ""),
    ("200", Answer(200, {}, b""), 3, {}, ""),
    ("204", Answer(204, {}, b""), 3, {}, ""),
    ("202 with garbage", Answer(202, {}, b"\xff<html>"), 3, {}, ""),
    ("202 with nonsense", Answer(202, {}, b'{"rejected": 7, "sampled_out": "x"}'), 3, {}, ""),
    (
        "202 with too many",
        Answer(202, {}, json.dumps({"rejected": REJECTED * 9}).encode()),
        0,
        {"rejected": 3},
        "Say which",
    ),
    ("202 with a huge body", Answer(202, {}, b" " * 3_000_000), 3, {}, ""),
    ("202 nested", Answer(202, {}, b"[" * 200_000), 3, {}, ""),
    (
        "one rejected",
        Answer(202, {}, json.dumps({"accepted": 2, "rejected": REJECTED}).encode()),
        2,
        {"rejected": 1},
        "Say which",
    ),
    (
        "sampled by the server",
        Answer(202, {}, b'{"accepted": 1, "rejected": [], "sampled_out": 2}'),
        1,
        {"sampled_out": 2},
        "",
    ),
    (
        "all rejected",
        problem(400, "Every event was rejected", rejected=REJECTED * 3),
        0,
        {"rejected": 3},
        "Say which",
    ),
    ("400 without a list", problem(400, "Unreadable"), 0, {"rejected": 3}, "Unreadable"),
    ("404", Answer(404, {}, b"<html>"), 0, {"rejected": 3}, "404"),
    ("405", Answer(405), 0, {"rejected": 3}, "405"),
    ("415", Answer(415), 0, {"rejected": 3}, "415"),
]


@pytest.mark.parametrize(
    "answer,sent,dropped,word", [case[1:] for case in VERDICTS], ids=[case[0] for case in VERDICTS]
)
def test_verdicts(
    answer: Answer,
    sent: int,
    dropped: Dict[str, int],
    word: str,
    receiver: Receiver,
    start: Start,
    warnings: List[str],
) -> None:
    receiver.script = [answer]
    start(receiver.dsn)
    log(3)
    assert aisentry.flush(20)
    assert aisentry.stats() == {
        "logged": 3,
        "sent": sent,
        "queued": 0,
        "spooled": 0,
        "dropped": dropped,
    }
    assert len(receiver.requests) == 1
    assert len(warnings) == (1 if word else 0) and all(word in warning for warning in warnings)
    # Whatever it was, the next batch is tried, and a second refusal is not told again.
    receiver.script = [answer]
    log(1)
    assert aisentry.flush(20)
    assert len(receiver.requests) == 2 and len(warnings) == (1 if word else 0)


def test_batches_by_count(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    ids = log(250)
    assert aisentry.flush(20)
    assert sorted(receiver.ids()) == sorted(ids)
    assert max(len(request.events) for request in receiver.requests) <= 100


def test_batches_by_bytes(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    log(20, prompt="x" * 200_000)
    assert aisentry.flush(20)
    assert len(receiver.taken) == 20
    assert all(len(request.events) <= 2 for request in receiver.requests)


def test_batches_by_age(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn, {"batch_age_s_max": 0.1})
    log(1)
    receiver.wait(lambda seen: len(seen.taken) == 1)


def test_lone_surrogates(receiver: Receiver, start: Start) -> None:
    start(receiver.dsn)
    log(1, prompt="a\ud800b", response={"\udfff": "\U0001f600"})
    assert aisentry.flush(10)
    assert receiver.taken[0]["prompt"] == "a\ufffdb"
    assert receiver.taken[0]["response"] == {"\ufffd": "\U0001f600"}


def test_server_away_memory_is_bounded(start: Start) -> None:
    start(
        "http://k@127.0.0.1:9/p",
        {"queue_events_max": 200, "retry_s_max": 100.0, "retry_delay_s_max": 100.0},
    )
    log(2000)
    stats = aisentry.stats()
    assert stats["queued"] <= 300 and stats["logged"] == 2000
    assert stats["dropped"] == {"queue_full": 2000 - stats["queued"]}


def test_queue_is_bounded_by_bytes(start: Start) -> None:
    start("http://k@127.0.0.1:9/p", {"queue_bytes_max": 1_000_000, "retry_delay_s_max": 100.0})
    log(100, prompt="x" * 100_000)
    assert aisentry.stats()["queued"] <= 18


def test_errors_stay_when_the_queue_is_full(receiver: Receiver, start: Start) -> None:
    receiver.script = [HANG]
    start(receiver.dsn, {"batch_age_s_max": 0.0, "queue_events_max": 10, "answer_s_max": 0.5})
    log(1)
    receiver.wait(lambda seen: len(seen.requests) == 1)
    kept = aisentry.log_error("bad")
    log(100)
    assert aisentry.flush(20)
    assert kept in receiver.ids()
