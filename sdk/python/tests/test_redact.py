"""What is taken out of events: keys always, personal data where it is asked for."""

from __future__ import annotations

import json
import time
from typing import Any, Dict, List

import pytest
from conftest import Start
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from receiver import Receiver

import aisentry
from aisentry._redact import PERSONAL_KINDS, Scrubber, redactors_of

# On a machine with other things to do, an example may take its time.
BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def scrubbed(event: Dict[str, Any], wanted: Any = None) -> Dict[str, Any]:
    scrubber = Scrubber(redactors_of(wanted)[0], True)
    return scrubber.scrub(event) if scrubber.may_hold(ENCODE(event)) else event


# Texts, and what is left of them without being asked.
SECRETS = [
    ("key sk-proj-abcdefghijklmnopqrst", "key [SECRET]"),
    ("AKIAABCDEFGHIJKLMNOP", "[SECRET]"),
    ("AIza" + "a" * 35, "[SECRET]"),
    ("ghp_" + "a1" * 18, "[SECRET]"),
    ("Authorization: bearer abcdefghijklmnop", "Authorization: bearer [SECRET]"),
    ("eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2QT4", "[SECRET]"),
    ("https://user:pass@host/path", "https://[SECRET]@host/path"),
    ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", "[SECRET]"),
    ("risk-free task-oriented desk-sk", "risk-free task-oriented desk-sk"),
    ("https://example.com/a?b=c", "https://example.com/a?b=c"),
    ("basic idea: bearer of news", "basic idea: bearer of news"),
]


@pytest.mark.parametrize("text,left", SECRETS)
def test_secrets(text: str, left: str) -> None:
    assert scrubbed({"prompt": [{"content": text}]}) == {"prompt": [{"content": left}]}


PERSONAL = [
    ("EMAIL_ADDRESS", "jo.doe+x@mail.example.com"),
    ("CREDIT_CARD", "4111-1111-1111-1111"),
    ("PHONE_NUMBER", "+49 30 1234 5678"),
    ("IP_ADDRESS", "10.0.255.1"),
    ("IBAN", "DE89370400440532013000"),
    ("US_SSN", "078-05-1120"),
]


@pytest.mark.parametrize("kind,text", PERSONAL)
def test_personal_data(kind: str, text: str) -> None:
    sentence = f"It is {text}, I think."
    assert scrubbed({"response": sentence}, kind)["response"] == f"It is [{kind}], I think."
    assert scrubbed({"response": sentence})["response"] == sentence
    assert text not in scrubbed({"response": sentence}, True)["response"]
    assert {name for name, _ in PERSONAL} == set(PERSONAL_KINDS)


def test_what_looks_like_it_stays() -> None:
    text = "version 1.2.3.4.5, order 4111 1111 1111 1112, 2026-01-31, 12.50 and 100-200"
    assert scrubbed({"response": text}, ["CREDIT_CARD", "IP_ADDRESS", "US_SSN"])["response"] == text


VALUES: Any = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=8,
)


@BUSY
@given(VALUES)
def test_any_value_keeps_its_form(value: Any) -> None:
    def form(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: form(inner) for key, inner in part.items()}
        return [form(inner) for inner in part] if isinstance(part, list) else type(part)

    assert form(scrubbed({"input": value}, True)["input"]) == form(value)


@pytest.mark.parametrize("text", ["a@" * 50_000, "1 " * 50_000, "eyJ" * 30_000, "://a:" * 20_000])
def test_hostile_texts_take_bounded_time(text: str) -> None:
    start = time.perf_counter()
    scrubbed({"prompt": text}, True)
    assert time.perf_counter() - start < 5


def test_a_name_that_is_none(start: Start, receiver: Receiver, warnings: List[str]) -> None:
    start(receiver.dsn, redact=["shoe size"])
    assert len(warnings) == 1 and "SHOE SIZE" in warnings[0]
    aisentry.log_prompt_call(model="m")
    assert aisentry.flush(10) and len(receiver.taken) == 1
