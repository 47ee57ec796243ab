"""aisentry: every public name of the package.

All of them are safe to call at any time and from any thread: before `init`, without a DSN and
after `close` they do nothing, and none of them ever raises. Nothing is sent on the caller's
thread.
"""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterable,
    Optional,
    TypeVar,
    Union,
    cast,
    overload,
)

from ._block import Block, Function
from ._event import BeforeSend
from ._lifecycle import lifecycle
from ._limits import Limits
from ._redact import Redact
from ._report import show_debug_lines
from ._scope import current
from ._settings import instrument_choice, read_settings, tags_of, text_of, wants_debug
from ._span import Span
from ._tally import OnDrop, Stats
from ._version import __version__

if TYPE_CHECKING:
    from typing import MutableMapping

    from typing_extensions import Unpack

    from ._expect import Expectation
    from ._fields import (
        AgentStepFields,
        AssertionFailedFields,
        BlockFields,
        ErrorFields,
        ErrorLike,
        EventFields,
        EventType,
        ExpectationFields,
        HallucinationFields,
        PromptCallFields,
        ScoreFields,
        Severity,
        SpanKind,
        ToolCallFields,
    )

__all__ = [
    "Span",
    "Stats",
    "__version__",
    "close",
    "current_span",
    "expect",
    "extract",
    "flush",
    "init",
    "inject",
    "log_agent_step",
    "log_assertion_failed",
    "log_error",
    "log_event",
    "log_hallucination",
    "log_prompt_call",
    "log_tool_call",
    "observe",
    "run",
    "score",
    "set_session",
    "set_tags",
    "set_user",
    "span",
    "stats",
    "uninstrument",
    "wrap",
]

_Client = TypeVar("_Client")
_Headers = TypeVar("_Headers", bound="MutableMapping[str, str]")

_Id = Union[str, int, None]
_limits = Limits()


def init(
    dsn: Optional[str] = None,
    *,
    release: Optional[str] = None,
    env: Optional[str] = None,
    sample_rate: Optional[float] = None,
    user_id: _Id = None,
    session_id: _Id = None,
    tags: Optional[Iterable[str]] = None,
    before_send: Optional[BeforeSend] = None,
    on_drop: Optional[OnDrop] = None,
    enabled: Optional[bool] = None,
    debug: Optional[bool] = None,
    service: Optional[str] = None,
    instrument: Union[bool, Iterable[str], None] = None,
    capture_content: Optional[bool] = None,
    redact: Redact = None,
    spool_dir: Optional[str] = None,
) -> None:
    """Starts recording, and watches the AI libraries that the program uses. Without a DSN, here or
    in AISENTRY_DSN, nothing is recorded and nothing is said.

    >>> init(release="1.4.2", env="production")

    Called again it does nothing, or takes over the new options.

    dsn: `http(s)://<key>@<host>[:<port>][/<base>]/<project_id>`; AISENTRY_DSN unless given.
    release: version of the program; AISENTRY_RELEASE unless given.
    env: deployment environment, such as production; AISENTRY_ENVIRONMENT unless given.
    sample_rate: part of the runs that is recorded, 0 to 1; AISENTRY_SAMPLE_RATE unless given,
        otherwise 1. Failures are always recorded.
    user_id, session_id: of events that name none. tags: of every event.
    before_send: sees each event last, on the worker's thread, and returns it, changed or not, or
        None to drop it. If it raises, the event is sent without its texts and payloads.
    on_drop: is told the reason and the number of events that will not arrive, by whichever thread
        drops.
    enabled: False makes every call a no-op; AISENTRY_ENABLED unless given, otherwise True.
    debug: tells on stderr what goes wrong, every time; AISENTRY_DEBUG unless given.
    service: name of the program; AISENTRY_SERVICE or OTEL_SERVICE_NAME unless given.
    instrument: False watches no library, names only those; AISENTRY_INSTRUMENT unless given,
        otherwise all that are known. A library is watched when the program imports it.
    capture_content: False leaves out what people wrote and programs said: prompts, answers, inputs
        and outputs; AISENTRY_CAPTURE_CONTENT unless given, otherwise True.
    redact: True takes personal data out of every text, a name or names only those kinds
        (EMAIL_ADDRESS, CREDIT_CARD, PHONE_NUMBER, IP_ADDRESS, IBAN, US_SSN), a function does so
        itself. Keys and passwords are always taken out.
    spool_dir: folder for what cannot be delivered; it is sent later, by whatever process uses the
        folder then. AISENTRY_SPOOL_DIR unless given, otherwise there is none.
    """
    try:
        if wants_debug(debug):
            show_debug_lines()
        settings = read_settings(
            dsn=dsn,
            release=release,
            env=env,
            sample_rate=sample_rate,
            user_id=user_id,
            session_id=session_id,
            tags=tags,
            before_send=before_send,
            on_drop=on_drop,
            enabled=enabled,
            reporter=lifecycle.reporter,
            service=service,
            capture_content=capture_content,
            redact=redact,
            spool_dir=spool_dir,
        )
        lifecycle.start(settings)
        if settings is not None:
            from ._instrument import watch

            watch(instrument_choice(instrument))
    except Exception as error:
        _failed(error)


def log_prompt_call(**fields: Unpack[PromptCallFields]) -> Optional[str]:
    """A call of a model. Returns the event's id, or None when it is not recorded.

    >>> event_id = log_prompt_call(
    ...     model="gpt-4o", prompt="What is 2 + 2?", response="4", tokens_input=9, tokens_output=1,
    ...     latency_ms=412.5,
    ... )

    Fields: prompt, response (text or anything), model, model_version, provider, tokens_input,
    tokens_output, tokens_cache_read, tokens_cache_write, tokens_cache_write_1h, tokens_reasoning,
    tokens_audio_input, tokens_audio_output, cost_estimate_usd, cost_reported_usd, tool_calls,
    time_to_first_token_ms, finish_reason, response_metadata, prompt_template_id, prompt_version;
    and those of every event: name, status, error, latency_ms, timestamp, user_id, session_id,
    tags, run_id, span_id, parent_span_id, attributes, release, env. The time is when the call
    started: unless given, the present less latency_ms.
    """
    return _log("prompt_call", fields)


def log_tool_call(tool_name: str, **fields: Unpack[ToolCallFields]) -> Optional[str]:
    """A tool that ran. Fields: tool_call_id, input, output, and those of every event.

    >>> event_id = log_tool_call("search", input={"q": "weather"}, output=["sunny"], latency_ms=31)
    """
    return _log("tool_call", {**fields, "tool_name": tool_name})


def log_agent_step(**fields: Unpack[AgentStepFields]) -> Optional[str]:
    """A step of an agent.

    >>> event_id = log_agent_step(step_number=1, step_type="reasoning", reasoning="Look it up.")

    Fields: step_number, step_name, step_type, input_data, output_data, reasoning, context, and
    those of every event.
    """
    return _log("agent_step", fields)


def log_error(error: Optional[ErrorLike] = None, **fields: Unpack[ErrorFields]) -> Optional[str]:
    """Something that went wrong: an exception, a message, or {message, type, code, stack}.

    >>> try:
    ...     {}["missing"]
    ... except KeyError as error:
    ...     event_id = log_error(error, context={"question": 7})

    Without an error it takes the exception that is being handled. Fields: context, stack_trace,
    and those of every event.
    """
    if error is None:
        import sys

        error = sys.exc_info()[1]
    return _log("error", {**fields, "error": "unknown" if error is None else error})


def log_assertion_failed(
    assertion_name: str, **fields: Unpack[AssertionFailedFields]
) -> Optional[str]:
    """An expectation that was not met.

    >>> event_id = log_assertion_failed("is_json", expected="an object", actual="Sure!")

    Fields: assertion_type, expected, actual, severity, and those of every event.
    """
    return _log("assertion_failed", {**fields, "assertion_name": assertion_name})


def log_hallucination(**fields: Unpack[HallucinationFields]) -> Optional[str]:
    """Made-up content that was found in an answer.

    >>> event_id = log_hallucination(flagged_content="Paris has 40 M people", confidence_score=0.9)

    Fields: detection_method, confidence_score (0 to 1), flagged_content, ground_truth,
    recommendations, and those of every event.
    """
    return _log("hallucination_detected", fields)


def log_event(event_type: EventType, **fields: Unpack[EventFields]) -> Optional[str]:
    """Any event, by its type; it takes every field.

    >>> event_id = log_event("span", name="retrieve", latency_ms=12, output=["doc 1"])
    """
    return _log(event_type, fields)


def score(
    name: str, score_value: Union[float, bool, str, None] = None, **fields: Unpack[ScoreFields]
) -> Optional[str]:
    """Feedback on a run, or the outcome of an evaluation: a number, a yes or no, or a word.

    >>> event_id = score("helpful", 0.8, score_explanation="answers the question")
    >>> event_id = score("tone", "friendly")

    It belongs to the run that it is logged in, or to the `run_id` given. Fields: score_label,
    score_explanation, context, and those of every event.
    """
    given: Dict[str, Any] = {**fields, "name": name}
    if isinstance(score_value, str):
        given.setdefault("score_label", score_value)
    elif score_value is not None:
        given["score_value"] = float(score_value) if isinstance(score_value, bool) else score_value
    return _log("score", given)


@overload
def span(name: Function) -> Function: ...
@overload
def span(
    name: Optional[str] = None, *, kind: SpanKind = "span", **fields: Unpack[BlockFields]
) -> Block: ...
def span(name: Any = None, *, kind: Any = "span", **fields: Any) -> Any:
    """A span: the events logged inside belong to it, and it is itself recorded with its duration
    and, when something is raised, the error. For `with` and `async with`, and as a decorator of
    functions, coroutines and generators. The outermost one starts a run.

    >>> with span("answer", user_id="u-7") as active:
    ...     event_id = log_prompt_call(model="gpt-4o", prompt="Hi", response="Hello")
    ...     active.set(output="Hello")

    kind: what it is: a "tool" is recorded as a tool_call, a "generation" as a prompt_call, an
    "agent" as an agent_step; "chain", "retrieval", "embedding", "guardrail", "evaluator", "event"
    and plain "span" as a span. Fields: input, output, run_id (to continue a run of another
    process: `**extract(headers)`), and those of every event. Thread pools take the span along; a
    plain thread does so when it is started by `contextvars.copy_context().run`.
    """
    if callable(name) or type(name) in (classmethod, staticmethod):
        return Block(None, {})(cast(Any, name))
    return Block(name, fields, kind)


run = span


@overload
def observe(function: Function) -> Function: ...
@overload
def observe(
    *,
    name: Optional[str] = None,
    kind: SpanKind = "span",
    capture_input: bool = True,
    capture_output: bool = True,
    **fields: Unpack[BlockFields],
) -> Callable[[Function], Function]: ...
def observe(
    function: Any = None,
    *,
    name: Optional[str] = None,
    kind: Any = "span",
    capture_input: bool = True,
    capture_output: bool = True,
    **fields: Any,
) -> Any:
    """A decorator: each call is a span, with what the function was given and what it returned.

    >>> @observe
    ... def greet(name: str) -> str:
    ...     return f"Hello {name}"
    >>> greet("you")
    'Hello you'

    For functions and methods of every kind: sync, async, generators (whose output is what they
    yielded) and async generators. With brackets it takes a name, the kind of a span, its fields,
    and whether input and output are captured.

    >>> @observe(kind="tool", capture_output=False)
    ... async def search(query: str) -> list: ...
    """
    block = Block(name, fields, kind, capture_input, capture_output)
    return block if function is None else block(function)


def wrap(client: _Client) -> _Client:
    """Records the calls of this one client of OpenAI, Anthropic or Google GenAI, or of a library
    with the same base, and returns the very same object.

    >>> from types import SimpleNamespace
    >>> client = SimpleNamespace()  # OpenAI()
    >>> wrap(client) is client
    True

    Needed where init(instrument=False) watches none; otherwise it changes nothing.
    """
    try:
        from ._wrap import wrap_client

        wrap_client(client)
    except Exception as error:
        _failed(error)
    return client


def uninstrument() -> None:
    """Puts every library back as it was before init().

    >>> uninstrument()
    """
    try:
        from ._instrument import unwatch

        unwatch()
    except Exception as error:
        _failed(error)


def current_span() -> Optional[Span]:
    """The span that the program is in; None outside of spans.

    >>> with span("answer"):
    ...     current_span().set(output="Hello")
    """
    scope = current.get()
    return None if scope is None else scope.span


def expect(
    value: Any = None,
    name: Optional[str] = None,
    *,
    severity: Severity = "medium",
    raises: bool = False,
    **fields: Unpack[ExpectationFields],
) -> Expectation:
    """Checks of a value. Each breach becomes an assertion_failed event, and no exception unless
    `raises`.

    >>> answer = '{"city": "Paris", "sky": "clear"}'
    >>> expect(answer, "weather").json({"city": str, "rain?": bool}).contains("Paris").ok
    True
    >>> bool(expect(answer).length(most=10).lacks("clear"))
    False

    Checks: json, contains, lacks, matches, length, latency, cost, satisfies. `failures` tells what
    did not hold, whether or not anything is recorded.
    """
    from ._expect import Expectation

    given: Dict[str, Any] = {**fields, "severity": severity}
    if name is not None:
        given["assertion_name"] = name
    return Expectation(value, given, raises)


@overload
def inject(headers: None = None) -> Dict[str, str]: ...
@overload
def inject(headers: _Headers) -> _Headers: ...
def inject(headers: Any = None) -> Any:
    """Adds W3C trace context of the present span to headers of a request; outside of spans
    nothing. Answers the same headers, or new ones.

    >>> with span("answer"):
    ...     sorted(inject({"accept": "*/*"}))
    ['accept', 'traceparent']
    """
    target: Any = {} if headers is None else headers
    try:
        scope = current.get()
        if scope is not None:
            from ._trace_context import headers_of

            for header, value in headers_of(scope).items():
                theirs = target.get(header) if header == "baggage" else None
                target[header] = f"{theirs},{value}" if theirs else value
    except Exception as error:
        _failed(error)
    return target


def extract(headers: Any) -> Dict[str, Any]:
    """The ids of whoever sent a request, to go on with its run; empty when it names none.

    >>> headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    >>> with span("handle", **extract(headers)) as active:
    ...     active.run_id
    '0af7651916cd43dd8448eb211c80319c'

    headers: a mapping, in any case, a WSGI environ, or pairs as ASGI has them.
    """
    try:
        from ._trace_context import ids_of

        return dict(ids_of(headers))
    except Exception as error:
        _failed(error)
        return {}


def set_user(user_id: _Id) -> None:
    """The end user served: by the run that calls it, or by the program when outside of runs.

    >>> set_user("u-7")
    """
    _set("user_id", user_id, text_of)


def set_session(session_id: _Id) -> None:
    """The session: of the run that calls it, or of the program when outside of runs.

    >>> set_session("s-1")
    """
    _set("session_id", session_id, text_of)


def set_tags(tags: Iterable[str]) -> None:
    """Labels: of the run that calls it, or of the program when outside of runs; beside those of
    init().

    >>> set_tags(["beta", "eu"])
    """
    _set("tags", tags, tags_of)


def flush(timeout: float = _limits.flush_s_max) -> bool:
    """Sends what waits. True once every event logged before is settled, that is, on the server's
    disk or dropped and counted; False when that takes longer than so many seconds.

    >>> flush(timeout=5)
    True

    It waits on the calling thread: in a coroutine, `await asyncio.to_thread(aisentry.flush)`.
    """
    client = lifecycle.client
    try:
        return client is None or client.flush(timeout)
    except Exception as error:
        _failed(error)
        return False


def close(timeout: float = _limits.exit_s_max) -> bool:
    """Sends what waits and stops recording; `init` starts anew. False when seconds were too few.

    A program that ends does so by itself.
    """
    try:
        return lifecycle.stop(timeout)
    except Exception as error:
        _failed(error)
        return False


def stats() -> Stats:
    """What became of the events logged since init().

    >>> sorted(stats())
    ['dropped', 'logged', 'queued', 'sent', 'spooled']
    """
    client = lifecycle.last
    if client is None:
        return {"logged": 0, "sent": 0, "queued": 0, "spooled": 0, "dropped": {}}
    return client.stats()


def _log(event_type: str, fields: Any) -> Optional[str]:
    client = lifecycle.client
    return None if client is None else client.log(event_type, fields)


def _set(name: str, value: Any, convert: Any) -> None:
    try:
        scope = current.get()
        client = lifecycle.client
        who = scope.who if scope is not None else client.who if client is not None else None
        if who is not None:
            setattr(who, name, convert(value))
    except Exception as error:
        _failed(error)


def _failed(error: BaseException) -> None:
    lifecycle.reporter.warn_once("internal_error", "A call failed: %s", type(error).__name__)
