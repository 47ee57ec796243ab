"""The DSN: what is one, and what is said of what is none."""

from __future__ import annotations

from typing import List, Tuple

import pytest

import aisentry
from aisentry._dsn import BadDsn, Dsn, parse_dsn
from aisentry._lifecycle import lifecycle

GOOD: List[Tuple[str, Dsn]] = [
    ("http://key@host/p", Dsn("http", "host", 80, "/v1/events", "key", "p")),
    ("https://key@host/p", Dsn("https", "host", 443, "/v1/events", "key", "p")),
    ("http://key@127.0.0.1:4318/p", Dsn("http", "127.0.0.1", 4318, "/v1/events", "key", "p")),
    ("http://key@[::1]:4318/p", Dsn("http", "::1", 4318, "/v1/events", "key", "p")),
    ("https://key@host/a/b/p", Dsn("https", "host", 443, "/a/b/v1/events", "key", "p")),
    ("https://key@host/p/", Dsn("https", "host", 443, "/v1/events", "key", "p")),
    ("http://a%2Fb%40c%25@host/p", Dsn("http", "host", 80, "/v1/events", "a/b@c%", "p")),
    ("http://a:b@host/p", Dsn("http", "host", 80, "/v1/events", "a:b", "p")),
    ("http://k@host/my%20project", Dsn("http", "host", 80, "/v1/events", "k", "my project")),
    ("  http://key@host/p\n", Dsn("http", "host", 80, "/v1/events", "key", "p")),
    ("HTTP://key@HOST/p", Dsn("http", "host", 80, "/v1/events", "key", "p")),
]

BAD: List[Tuple[str, str]] = [
    ("nonsense", "does not start with"),
    ("ftp://key@host/p", "does not start with"),
    ("http://host/p", "no key"),
    ("http://@host/p", "no key"),
    ("http://secret@host", "no project id"),
    ("http://secret@host/", "no project id"),
    ("http://secret@/p", "no host"),
    ("http://secret@:80/p", "no host"),
    ("http://secret@host:99999/p", "not a URL"),
    ("http://secret@host:0/p", "port 0"),
    ("http://secret@host:x/p", "not a URL"),
    ("http://secret@[::1/p", "not a URL"),
    ("http://secret@host/p?x=1", "? or #"),
    ("http://secret@host/p#x", "? or #"),
    ("http://secret@ho st/p", "a space"),
    ("http://secret@host/p\r\nX-Evil: 1", "a space"),
    ("http://secret%0d%0aX@host/p", "printable ASCII"),
    ("http://secr%C3%A9t@host/p", "printable ASCII"),
    ("http://secret@h\u00f6st/p", "not ASCII"),
    ("http://secret@host/%00", "no project id"),
    ("http://secret@host/" + "p" * 129, "no project id"),
]


@pytest.mark.parametrize("text,dsn", GOOD)
def test_good(text: str, dsn: Dsn) -> None:
    assert parse_dsn(text) == dsn


@pytest.mark.parametrize("text,problem", BAD)
def test_bad(text: str, problem: str, warnings: List[str]) -> None:
    parsed = parse_dsn(text)
    assert isinstance(parsed, BadDsn) and problem in parsed.problem
    aisentry.init(text)
    aisentry.init(text)
    assert lifecycle.client is None and aisentry.log_prompt_call(model="m") is None
    assert len(warnings) == 1 and "secret" not in warnings[0] and "secr\u00e9t" not in warnings[0]


def test_not_even_text(warnings: List[str]) -> None:
    aisentry.init(b"http://key@host/p")  # type: ignore[arg-type]
    assert lifecycle.client is None and len(warnings) == 1


def test_none_is_silent(warnings: List[str], monkeypatch: pytest.MonkeyPatch) -> None:
    aisentry.init()
    aisentry.init("")
    monkeypatch.setenv("AISENTRY_DSN", "  ")
    aisentry.init()
    assert lifecycle.client is None and warnings == []


def test_origin_has_no_key() -> None:
    parsed = parse_dsn("http://key@[::1]:4318/base/p")
    assert isinstance(parsed, Dsn) and parsed.origin == "http://[::1]:4318"
