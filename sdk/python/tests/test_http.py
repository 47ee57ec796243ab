"""What a request looks like, where it goes, and where the key does not go."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, List

import pytest
from conftest import Start
from receiver import KEY, Answer, Receiver

import aisentry

HERE = Path(__file__).parent


def log(count: int = 1, **fields: Any) -> List[str]:
    ids = [aisentry.log_prompt_call(model=f"m{number}", **fields) for number in range(count)]
    return [event_id for event_id in ids if event_id is not None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(
    status: int, receiver: Receiver, start: Start, warnings: List[str]
) -> None:
    elsewhere = Receiver()
    try:
        receiver.script = [
            Answer(status, {"location": f"http://127.0.0.1:{elsewhere.port}/v1/events"})
        ]
        start(receiver.dsn)
        log()
        assert aisentry.flush(20)
        assert elsewhere.requests == [] and aisentry.stats()["dropped"] == {"rejected": 1}
        assert len(warnings) == 1 and "redirects" in warnings[0]
    finally:
        elsewhere.close()


def test_what_is_sent(receiver: Receiver, start: Start) -> None:
    start(f"http://a%2Fkey%3D@127.0.0.1:{receiver.port}/base/demo")
    log(1)
    assert aisentry.flush(10)
    log(1, prompt="long " * 1000)
    assert aisentry.flush(10)
    small, large = receiver.requests
    assert small.path == "/base/v1/events"
    assert small.headers["authorization"] == "Bearer a/key="
    assert small.headers["content-type"] == "application/json"
    assert small.headers["user-agent"].startswith("aisentry-python/")
    assert "content-encoding" not in small.headers
    assert large.headers["content-encoding"] == "gzip" and len(large.body) < 1000
    assert large.events[0]["project_id"] == "demo"


def test_proxy(receiver: Receiver, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://user:p%40ss@127.0.0.1:{receiver.port}")
    start("http://secret-key@watchllm.invalid:8080/demo")
    log(1)
    assert aisentry.flush(10)
    request = receiver.requests[0]
    assert request.path == "http://watchllm.invalid:8080/v1/events"
    assert request.headers["proxy-authorization"] == "Basic dXNlcjpwQHNz"
    assert request.headers["host"] == "watchllm.invalid:8080"


@pytest.mark.parametrize("no_proxy", ["", "127.0.0.1"])
def test_no_proxy_for_this_machine(
    no_proxy: str, receiver: Receiver, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", no_proxy)
    start(receiver.dsn)
    log(1)
    assert aisentry.flush(10) and len(receiver.taken) == 1


def test_nonsense_proxy(receiver: Receiver, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://[nonsense:99999999")
    start("http://k@watchllm.invalid/p", {"retry_s_max": 0.0})
    log(1)
    assert aisentry.flush(20)


def test_certificates_are_verified(
    start: Start, monkeypatch: pytest.MonkeyPatch, warnings: List[str]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HERE / "localhost.pem")
    secure = Receiver(context)
    try:
        start(f"https://{KEY}@localhost:{secure.port}/demo", {"retry_s_max": 0.0})
        log(1)
        assert aisentry.flush(20)
        assert secure.requests == [] and aisentry.stats()["dropped"] == {"send_failed": 1}
        assert len(warnings) == 1 and "CERTIFICATE_VERIFY_FAILED" in warnings[0]
        aisentry.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(HERE / "localhost.pem"))
        start(f"https://{KEY}@localhost:{secure.port}/demo")
        ids = log(1)
        assert aisentry.flush(20)
        assert secure.ids() == ids
    finally:
        secure.close()
