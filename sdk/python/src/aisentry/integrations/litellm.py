"""LiteLLM: a callback beside the program's own.

It is told before a call, in the caller's thread, and of the end in a thread of LiteLLM's: the span
that the call belongs to is kept in between, by LiteLLM's own id of the call.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Dict, Optional

from .._lifecycle import lifecycle
from .._model_call import ModelCall, expected
from .._patching import Patches, Switch, guarded
from .open_spans import OpenSpans
from .openai_wire import CHAT
from .reading import get, plain, request_of

_OWN_PARAMETERS = ("extra_headers", "metadata", "litellm_logging_obj", "api_key", "extra_body")


def install(module: Any, patches: Patches) -> None:
    def hand_over(switch: Switch) -> None:
        base: Any = import_module("litellm.integrations.custom_logger").CustomLogger
        logger: Any = type("AisentryLogger", (_Logger, base), {})()
        logger.aisentry_switch = switch
        module.callbacks.append(logger)

    patches.hook("litellm", hand_over)


class _Logger:
    aisentry_switch: Switch

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._open = OpenSpans()

    def log_pre_api_call(self, model: Any, messages: Any, kwargs: Any) -> None:
        if self.aisentry_switch.records:
            guarded(self._start, model, messages, kwargs)

    def _start(self, model: Any, messages: Any, kwargs: Dict[str, Any]) -> None:
        key = kwargs.get("litellm_call_id")
        if key is None or self._open.get(key) is not None:
            return
        params = kwargs.get("optional_params")
        asked = request_of(params)
        tools = asked.pop("tools", None)
        for name in _OWN_PARAMETERS:
            asked.pop(name, None)
        call_type = str(kwargs.get("call_type") or "completion")
        kind = "embedding" if "embedding" in call_type else "generation"
        fields = {
            "name": f"litellm.{call_type}",
            "provider": kwargs.get("custom_llm_provider")
            or get(kwargs, "litellm_params", "custom_llm_provider"),
            "model_requested": model,
            "model": model,
            "prompt": plain(messages if messages else kwargs.get("input")),
            "tool_definitions": plain(tools),
            "model_parameters": plain(asked) or None,
        }
        known = {name: value for name, value in fields.items() if value is not None}
        # Its end is told in another thread, which could not leave the span here.
        call = self._open.start(key, None, known, kind, is_model_call=True, is_entered=False)
        if isinstance(call, ModelCall):
            expected.set(call)

    def log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        guarded(self._end, kwargs, response_obj, start_time, end_time)

    def log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        error = kwargs.get("exception")
        guarded(self._end, kwargs, None, start_time, end_time, error)

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self.log_success_event(kwargs, response_obj, start_time, end_time)

    async def async_log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self.log_failure_event(kwargs, response_obj, start_time, end_time)

    def _end(
        self,
        kwargs: Dict[str, Any],
        answer: Any,
        start: Any,
        end: Any,
        error: Optional[BaseException] = None,
    ) -> None:
        if lifecycle.client is None:
            return
        key = kwargs.get("litellm_call_id")
        if self._open.get(key) is None:
            return  # The other one of its two ways to tell was first.
        is_streaming = bool(kwargs.get("stream"))
        whole = kwargs.get("complete_streaming_response") or kwargs.get(
            "async_complete_streaming_response"
        )
        if is_streaming and error is None:
            if whole is None:
                return  # A piece; the whole is told at the end.
            answer = whole
        fields = _answered(answer)
        fields["latency_ms"] = _ms(start, end)
        if is_streaming:
            fields["time_to_first_token_ms"] = _ms(start, kwargs.get("completion_start_time"))
        cost = kwargs.get("response_cost")
        if isinstance(cost, (int, float)) and cost > 0:
            fields["cost_reported_usd"] = cost
        self._open.finish(key, fields, error if isinstance(error, BaseException) else None)


def _answered(answer: Any) -> Dict[str, Any]:
    if answer is None:
        return {}
    fields = CHAT.answered(plain(answer))
    # LiteLLM makes up what the provider did not say.
    fields.pop("service_tier", None)
    if get(answer, "object") == "list" or get(answer, "data") is not None:
        fields["response"] = None
    return fields


def _ms(start: Any, end: Any) -> Optional[float]:
    try:
        return float((end - start).total_seconds() * 1000)
    except (AttributeError, TypeError):
        return None
