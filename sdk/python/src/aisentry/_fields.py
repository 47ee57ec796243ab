"""The vocabulary: every field of an event and the keywords that each kind of call takes.

Names, kinds and values are those of the server; a test holds them together.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from math import inf
from typing import TYPE_CHECKING, Any, Dict, Mapping, Sequence, Tuple, TypedDict, Union

if TYPE_CHECKING:
    from typing_extensions import Literal

    EventType = Literal[
        "prompt_call",
        "tool_call",
        "agent_step",
        "error",
        "assertion_failed",
        "hallucination_detected",
        "performance_alert",
        "cost_threshold_exceeded",
        "span",
        "score",
    ]
    Status = Literal["success", "error", "timeout", "assertion_failed", "warning"]
    StepType = Literal["reasoning", "tool_call", "validation", "output"]
    AssertionType = Literal["response_format", "content_filter", "safety_check", "custom"]
    Severity = Literal["low", "medium", "high", "critical"]
    DetectionMethod = Literal["heuristic", "model_ensemble", "ground_truth_verification"]
    AlertType = Literal["cost_spike", "latency_spike", "error_rate_spike", "token_limit"]
    SpanKind = Literal[
        "span",
        "agent",
        "chain",
        "generation",
        "embedding",
        "tool",
        "retrieval",
        "guardrail",
        "evaluator",
        "event",
    ]

# A field is of one kind: id, label, text, value, object, list, labels, integer, number,
# timestamp, enum.
KINDS: Dict[str, str] = {
    "event_id": "id",
    "project_id": "id",
    "run_id": "id",
    "event_type": "enum",
    "timestamp": "timestamp",
    "status": "enum",
    "user_id": "id",
    "session_id": "id",
    "tags": "labels",
    "release": "label",
    "env": "label",
    "client": "object",
    "name": "label",
    "span_id": "id",
    "parent_span_id": "id",
    "latency_ms": "number",
    "error": "object",
    "attributes": "object",
    "agent_name": "label",
    "service": "label",
    "fingerprint": "label",
    "prompt": "value",
    "prompt_template_id": "label",
    "prompt_version": "label",
    "model": "label",
    "model_version": "label",
    "provider": "label",
    "tokens_input": "integer",
    "tokens_output": "integer",
    "tokens_cache_read": "integer",
    "tokens_cache_write": "integer",
    "tokens_cache_write_1h": "integer",
    "tokens_reasoning": "integer",
    "tokens_audio_input": "integer",
    "tokens_audio_output": "integer",
    "cost_estimate_usd": "number",
    "cost_reported_usd": "number",
    "response": "value",
    "response_metadata": "object",
    "tool_calls": "list",
    "time_to_first_token_ms": "number",
    "finish_reason": "label",
    "service_tier": "label",
    "system_prompt": "value",
    "tool_definitions": "value",
    "model_parameters": "object",
    "response_id": "label",
    "model_requested": "label",
    "tool_name": "label",
    "tool_call_id": "id",
    "input": "value",
    "output": "value",
    "step_number": "integer",
    "step_name": "label",
    "step_type": "enum",
    "input_data": "value",
    "output_data": "value",
    "reasoning": "value",
    "context": "value",
    "stack_trace": "text",
    "assertion_name": "label",
    "assertion_type": "enum",
    "expected": "value",
    "actual": "value",
    "severity": "enum",
    "detection_method": "enum",
    "confidence_score": "number",
    "flagged_content": "value",
    "ground_truth": "value",
    "recommendations": "labels",
    "alert_type": "enum",
    "threshold": "number",
    "actual_value": "number",
    "window_minutes": "number",
    "affected_models": "labels",
    "score_value": "number",
    "score_label": "label",
    "score_explanation": "text",
    "received_as": "enum",
    "span_kind": "label",
    "resource": "object",
    "scope": "object",
    "span_events": "list",
    "span_links": "list",
    "telemetry": "object",
}

VALUES: Dict[str, Tuple[str, ...]] = {
    "event_type": (
        "prompt_call",
        "tool_call",
        "agent_step",
        "error",
        "assertion_failed",
        "hallucination_detected",
        "performance_alert",
        "cost_threshold_exceeded",
        "span",
        "score",
    ),
    "status": ("success", "error", "timeout", "assertion_failed", "warning"),
    "step_type": ("reasoning", "tool_call", "validation", "output"),
    "assertion_type": ("response_format", "content_filter", "safety_check", "custom"),
    "severity": ("low", "medium", "high", "critical"),
    "detection_method": ("heuristic", "model_ensemble", "ground_truth_verification"),
    "alert_type": ("cost_spike", "latency_spike", "error_rate_spike", "token_limit"),
    "received_as": ("span", "log"),
}

# Numbers that the server bounds: least and most.
RANGES: Dict[str, Tuple[float, float]] = {
    "latency_ms": (0, inf),
    "cost_estimate_usd": (0, inf),
    "cost_reported_usd": (0, inf),
    "time_to_first_token_ms": (0, inf),
    "confidence_score": (0, 1),
    "window_minutes": (0, inf),
}

# What is left of an event whose before_send raised: nothing that may hold a person's words or name.
BARE_FIELDS = frozenset(
    name
    for name, kind in KINDS.items()
    if kind in ("id", "label", "integer", "number", "timestamp", "enum")
    and name not in ("user_id", "session_id")
) | {"client"}

Number = Union[int, float, Decimal]
Time = Union[str, datetime, float]
ErrorLike = Union[str, BaseException, Mapping[str, Any]]


class _EveryFields(TypedDict, total=False):
    """Every event takes these. Times are ISO 8601 text, a datetime, or seconds since 1970."""

    event_id: str
    run_id: str
    timestamp: Time
    status: Status
    user_id: str
    session_id: str
    tags: Sequence[str]
    release: str
    env: str
    client: Mapping[str, Any]
    span_id: str
    parent_span_id: str
    latency_ms: Number
    agent_name: str
    service: str
    fingerprint: str
    attributes: Mapping[str, Any]


class CommonFields(_EveryFields, total=False):
    name: str
    error: ErrorLike


class RunFields(_EveryFields, total=False):
    error: ErrorLike
    input: Any
    output: Any


class _ModelFields(TypedDict, total=False):
    prompt: Any
    system_prompt: Any
    tool_definitions: Any
    model_parameters: Mapping[str, Any]
    prompt_template_id: str
    prompt_version: str
    model: str
    model_version: str
    provider: str
    tokens_input: int
    tokens_output: int
    tokens_cache_read: int
    tokens_cache_write: int
    tokens_cache_write_1h: int
    tokens_reasoning: int
    tokens_audio_input: int
    tokens_audio_output: int
    cost_estimate_usd: Number
    cost_reported_usd: Number
    response: Any
    response_metadata: Mapping[str, Any]
    tool_calls: Sequence[Any]
    time_to_first_token_ms: Number
    finish_reason: str
    service_tier: str
    response_id: str
    model_requested: str


class BlockFields(RunFields, _ModelFields, total=False):
    """What a span takes, whatever its kind."""

    tool_name: str
    tool_call_id: str
    step_number: int
    step_type: StepType
    reasoning: Any
    context: Any


class SpanFields(CommonFields, total=False):
    input: Any
    output: Any


class PromptCallFields(SpanFields, _ModelFields, total=False):
    """A call of a model."""


class ToolCallFields(SpanFields, total=False):
    tool_call_id: str


class AgentStepFields(CommonFields, total=False):
    step_number: int
    step_name: str
    step_type: StepType
    input_data: Any
    output_data: Any
    reasoning: Any
    context: Any


class ErrorFields(_EveryFields, total=False):
    name: str
    context: Any
    stack_trace: str


class AssertionFailedFields(CommonFields, total=False):
    assertion_type: AssertionType
    expected: Any
    actual: Any
    severity: Severity
    context: Any


class ExpectationFields(_EveryFields, total=False):
    """What an assertion says beside its outcome."""

    assertion_type: AssertionType
    context: Any


class HallucinationFields(CommonFields, total=False):
    detection_method: DetectionMethod
    confidence_score: Number
    flagged_content: Any
    ground_truth: Any
    recommendations: Sequence[str]
    model: str


class ScoreFields(_EveryFields, total=False):
    error: ErrorLike
    score_label: str
    score_explanation: str
    context: Any


class EventFields(
    PromptCallFields, AgentStepFields, AssertionFailedFields, HallucinationFields, total=False
):
    """Every field of every event, for log_event."""

    tool_name: str
    tool_call_id: str
    stack_trace: str
    assertion_name: str
    alert_type: AlertType
    threshold: Number
    actual_value: Number
    window_minutes: Number
    affected_models: Sequence[str]
    score_value: Number
    score_label: str
    score_explanation: str
    received_as: Literal["span", "log"]
    span_kind: str
    resource: Mapping[str, Any]
    scope: Mapping[str, Any]
    span_events: Sequence[Any]
    span_links: Sequence[Any]
    telemetry: Mapping[str, Any]
