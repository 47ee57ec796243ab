"""What a type checker says to those who use the package.

`mypy` reads this file: a call that it must refuse is marked, and a mark that is not needed is an
error too.
"""

from __future__ import annotations

import asyncio
from typing import Any, Dict, Iterator, Optional

import aisentry


def calls() -> Optional[str]:
    aisentry.log_prompt_call(
        model="m", prompt=[{"role": "user"}], tokens_input=1, status="error", error=ValueError()
    )
    aisentry.log_prompt_call(tokens_in=1)  # type: ignore[call-arg]
    aisentry.log_prompt_call(model=5)  # type: ignore[arg-type]
    aisentry.log_prompt_call(status="ok")  # type: ignore[arg-type]
    aisentry.log_tool_call()  # type: ignore[call-arg]
    aisentry.log_agent_step(step_type="thinking")  # type: ignore[arg-type]
    aisentry.log_event("made_up")  # type: ignore[arg-type]
    aisentry.log_event("span", name="n", score_value=1.5)
    aisentry.log_error(ValueError("x"), context={"a": 1})
    aisentry.score("helpful", True, run_id="r")
    aisentry.set_tags(5)  # type: ignore[arg-type]
    stats: Dict[str, int] = aisentry.stats()["dropped"]
    return aisentry.log_prompt_call() if stats else None


def hook(event: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    return event


def options() -> None:
    aisentry.init(
        "http://k@h/p", before_send=hook, on_drop=lambda reason, count: print(reason, count)
    )
    aisentry.init(before_send=len)  # type: ignore[arg-type]
    aisentry.init(dns="http://k@h/p")  # type: ignore[call-arg]


@aisentry.run
def bare(value: int) -> str:
    return str(value)


@aisentry.run("named", tags=["a"])
async def named(value: int) -> str:
    return str(value)


@aisentry.run()
def stream() -> Iterator[int]:
    yield 1


@aisentry.observe
def observed(value: int) -> str:
    return str(value)


@aisentry.observe(kind="tool", capture_input=False, tags=["a"])
async def observed_too(value: int) -> str:
    return str(value)


class Client:
    def ask(self) -> str:
        return "answer"


def test_decorated_functions_keep_their_types() -> None:
    text: str = bare(1)
    awaited: str = asyncio.run(named(1))
    numbers: Iterator[int] = stream()
    assert (text, awaited, list(numbers)) == ("1", "1", [1])
    with aisentry.run("r", user_id="u") as active:
        run_id: str = active.run_id
    assert run_id

    client: Client = aisentry.wrap(Client())
    assert (observed(1), asyncio.run(observed_too(1)), client.ask()) == ("1", "1", "answer")
    with aisentry.span("s", kind="generation", model="m", **aisentry.extract({})) as span:
        span.set(output=1)
    headers: Dict[str, str] = aisentry.inject({"a": "b"})
    is_ok: bool = aisentry.expect("x", severity="low").contains("x").ok
    assert is_ok and headers


def wrong() -> None:
    bare("1")  # type: ignore[arg-type]
    observed("1")  # type: ignore[arg-type]
    aisentry.observe(kind="made up")  # type: ignore[call-overload]
    aisentry.span("s", kind="made up")  # type: ignore[call-overload]
    aisentry.expect("x", severity="dire")  # type: ignore[arg-type]
    with aisentry.run("r", tokens=1):  # type: ignore[call-overload]
        pass
