"""LangChain and LangGraph: a callback handler beside the program's own.

Chains and graph nodes, model calls, tools and retrievers. A model call that a watched client
library makes beneath is told by that library, and recorded once.
"""

from __future__ import annotations

from functools import wraps
from typing import Any, Callable, Dict, List, Optional, cast

from .._lifecycle import lifecycle
from .._model_call import ModelCall, expected
from .._patching import Patches, guarded
from .._plain import is_a
from .open_spans import OpenSpans
from .reading import count, get, many, plain, tool_call

_HIDDEN = "langsmith:hidden"
_ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant"}


def install(module: Any, patches: Patches) -> None:
    made: List[Any] = []

    def configuring(original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def configure(*args: Any, **kwargs: Any) -> Any:
            manager = original(*args, **kwargs)
            if lifecycle.client is not None:
                guarded(_add, manager, made)
            return manager

        return configure

    def expecting(original: Callable[..., Any]) -> Callable[..., Any]:
        # Older versions tell of an async call's start in a task of its own, whose context is lost.
        @wraps(original)
        async def start(*args: Any, **kwargs: Any) -> Any:
            managers = await original(*args, **kwargs)
            if made and lifecycle.client is not None:
                guarded(made[0].expect_calls, managers)
            return managers

        return start

    patches.replace(module, "_configure", configuring)
    for name in ("on_chat_model_start", "on_llm_start"):
        patches.replace(module.AsyncCallbackManager, name, expecting)


def _add(manager: Any, made: List[Any]) -> None:
    if not made:
        made.append(make_handler())
    handler = made[0]
    if not any(known is handler for known in manager.handlers):
        manager.add_handler(handler, True)


def make_handler() -> Any:
    """A handler of the class that LangChain wants; it is loaded only now."""
    from importlib import import_module

    base: Any = import_module("langchain_core.callbacks.base").BaseCallbackHandler
    body: Dict[str, Any] = {
        name: _guarded(function) for name, function in vars(_Callbacks).items() if name[:3] == "on_"
    }
    kind = type("AisentryHandler", (_Callbacks, base), body)
    return kind()


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> None:
        if lifecycle.client is not None:
            guarded(lambda: function(*args, **kwargs))

    return call


class _Callbacks:
    # In the caller's own thread and task: what it starts belongs to the span.
    run_inline = True
    raise_error = False

    def __init__(self) -> None:
        super().__init__()
        self._open = OpenSpans()

    def expect_calls(self, managers: Any) -> None:
        for manager in managers:
            call = self._open.get(manager.run_id)
            if isinstance(call, ModelCall):
                expected.set(call)

    def on_chain_start(
        self,
        serialized: Any,
        inputs: Any,
        *,
        run_id: Any,
        parent_run_id: Any = None,
        tags: Any = None,
        metadata: Any = None,
        **kwargs: Any,
    ) -> None:
        name = kwargs.get("name") or _name(serialized)
        if _HIDDEN in (tags or ()) or str(name).startswith("ChannelWrite"):
            self._open.pass_by(run_id, parent_run_id)
            return
        fields: Dict[str, Any] = {"name": name, "input": _told(inputs), **_session(metadata)}
        node = get(metadata, "langgraph_node")
        if node is not None and node == name:
            fields["step_number"] = count(metadata, "langgraph_step")
            self._open.start(run_id, parent_run_id, _known(fields), "agent")
        else:
            self._open.start(run_id, parent_run_id, _known(fields), "chain")

    def on_chain_end(self, outputs: Any, *, run_id: Any, **kwargs: Any) -> None:
        fields = {"output": _told(outputs)}
        if kwargs.get("inputs"):
            # A chain that is streamed knows only now what it was given.
            fields["input"] = _told(kwargs["inputs"])
        self._open.finish(run_id, fields)

    def on_chain_error(self, error: BaseException, *, run_id: Any, **kwargs: Any) -> None:
        if any(kind.__name__ == "GraphBubbleUp" for kind in type(error).__mro__):
            # A graph that waits for a person is no failure.
            self._open.finish(run_id, {"attributes": {"interrupted": str(error)}})
        else:
            self._open.finish(run_id, {}, error)

    def on_chat_model_start(
        self, serialized: Any, messages: Any, *, run_id: Any, **kwargs: Any
    ) -> None:
        prompt = [_message(message) for message in (messages[0] if messages else ())]
        self._model_start(serialized, prompt, run_id, kwargs)

    def on_llm_start(self, serialized: Any, prompts: Any, *, run_id: Any, **kwargs: Any) -> None:
        self._model_start(serialized, prompts[0] if len(prompts) == 1 else prompts, run_id, kwargs)

    def _model_start(self, serialized: Any, prompt: Any, run_id: Any, told: Dict[str, Any]) -> None:
        metadata = told.get("metadata")
        asked = dict(told.get("invocation_params") or {})
        model = (
            get(metadata, "ls_model_name") or asked.pop("model", None) or asked.get("model_name")
        )
        tools = asked.pop("tools", None)
        asked.pop("_type", None)
        fields = {
            "name": told.get("name") or _name(serialized),
            "prompt": prompt,
            "model": model,
            "model_requested": model,
            "provider": get(metadata, "ls_provider"),
            "tool_definitions": tools,
            "model_parameters": _known(asked) or None,
            **_session(metadata),
        }
        parent = told.get("parent_run_id")
        self._open.start(run_id, parent, _known(fields), "generation", is_model_call=True)

    def on_llm_new_token(self, token: Any, *, run_id: Any, **kwargs: Any) -> None:
        call: Any = self._open.get(run_id)
        if call is not None:
            call.first_piece()

    def on_llm_end(self, response: Any, *, run_id: Any, **kwargs: Any) -> None:
        self._open.finish(run_id, _answer(response))

    def on_llm_error(self, error: BaseException, *, run_id: Any, **kwargs: Any) -> None:
        self._open.finish(run_id, {}, error)

    def on_tool_start(
        self,
        serialized: Any,
        input_str: Any,
        *,
        run_id: Any,
        parent_run_id: Any = None,
        inputs: Any = None,
        **kwargs: Any,
    ) -> None:
        fields = {
            "name": kwargs.get("name") or _name(serialized),
            "input": input_str if inputs is None else inputs,
            "tool_call_id": kwargs.get("tool_call_id"),
        }
        self._open.start(run_id, parent_run_id, _known(fields), "tool")

    def on_tool_end(self, output: Any, *, run_id: Any, **kwargs: Any) -> None:
        identity = get(output, "tool_call_id")
        content = get(output, "content") if identity is not None else None
        fields = {"output": output if content is None else content, "tool_call_id": identity}
        if get(output, "status") == "error":
            fields.update(status="error", error=str(content))
        self._open.finish(run_id, fields)

    def on_tool_error(self, error: BaseException, *, run_id: Any, **kwargs: Any) -> None:
        self.on_chain_error(error, run_id=run_id)

    def on_retriever_start(
        self,
        serialized: Any,
        query: Any,
        *,
        run_id: Any,
        parent_run_id: Any = None,
        **kwargs: Any,
    ) -> None:
        fields = {"name": kwargs.get("name") or _name(serialized), "input": query}
        self._open.start(run_id, parent_run_id, fields, "retrieval")

    def on_retriever_end(self, documents: Any, *, run_id: Any, **kwargs: Any) -> None:
        self._open.finish(run_id, {"output": documents})

    def on_retriever_error(self, error: BaseException, *, run_id: Any, **kwargs: Any) -> None:
        self._open.finish(run_id, {}, error)


def _name(serialized: Any) -> str:
    path = many(serialized, "id")
    return str(get(serialized, "name") or (path[-1] if path else "chain"))


def _known(fields: Dict[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _session(metadata: Any) -> Dict[str, Any]:
    """A thread of LangGraph is a session."""
    thread = get(metadata, "thread_id") or get(metadata, "session_id")
    return {} if thread is None else {"session_id": str(thread)}


def _told(value: Any, levels: int = 3) -> Any:
    """Messages as people know them, wherever they stand near the top."""
    if levels and is_a(value, dict):
        return {key: _told(value[key], levels - 1) for key in value}
    if levels and is_a(value, (list, tuple)):
        return [_told(entry, levels - 1) for entry in value]
    if hasattr(value, "response_metadata") or type(value).__name__.endswith("Message"):
        return _message(value)
    return value


def _message(message: Any) -> Any:
    role = get(message, "type")
    if role is None:
        return plain(message)
    made = {
        "role": _ROLES.get(role, role),
        "content": plain(get(message, "content")),
        "name": get(message, "name"),
        "tool_call_id": get(message, "tool_call_id"),
        "tool_calls": _calls(message) or None,
    }
    return _known(made)


def _calls(message: Any) -> List[Any]:
    return [
        tool_call(get(call, "id"), get(call, "name"), get(call, "args"))
        for call in many(message, "tool_calls")
    ]


def _answer(response: Any) -> Dict[str, Any]:
    answers = [get(choices, 0) for choices in many(response, "generations")]
    message = get(answers, 0, "message") if answers else None
    text = get(message, "content")
    told: Any = get(message, "response_metadata") or get(response, "llm_output") or {}
    usage = get(message, "usage_metadata")
    old = get(response, "llm_output", "token_usage")
    return {
        "response": plain(text) if message is not None else _texts(answers),
        "tool_calls": _calls(message) or None,
        "model": get(told, "model_name") or get(told, "model"),
        "response_id": get(message, "id"),
        "finish_reason": get(told, "finish_reason") or get(told, "stop_reason"),
        "tokens_input": _first(count(usage, "input_tokens"), count(old, "prompt_tokens")),
        "tokens_output": _first(count(usage, "output_tokens"), count(old, "completion_tokens")),
        "tokens_cache_read": count(usage, "input_token_details", "cache_read"),
        "tokens_cache_write": count(usage, "input_token_details", "cache_creation"),
        "tokens_reasoning": count(usage, "output_token_details", "reasoning"),
    }


def _texts(answers: List[Any]) -> Any:
    texts = [get(answer, "text") for answer in answers]
    return texts[0] if len(texts) == 1 else cast(Any, texts or None)


def _first(*numbers: Optional[int]) -> Optional[int]:
    return next((number for number in numbers if number is not None), None)
