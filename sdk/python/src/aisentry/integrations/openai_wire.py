"""OpenAI's operations, as their many imitators speak them too: chat, responses, embeddings."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from .reading import Operation, count, get, many, parameters, plain, texts_or, tool_call


def _chat_asked(body: Dict[str, Any]) -> Dict[str, Any]:
    tools = body.get("tools") or body.get("functions")
    return {
        "model_requested": body.get("model"),
        "prompt": body.get("messages"),
        "tool_definitions": tools,
        "model_parameters": parameters(body, "model", "messages", "tools", "functions"),
    }


def _usage(usage: Any) -> Dict[str, Any]:
    """Chat's names, or those of responses and embeddings."""
    into, out = "prompt_tokens_details", "completion_tokens_details"
    if count(usage, "prompt_tokens") is None:
        into, out = "input_tokens_details", "output_tokens_details"
    tokens_input = count(usage, "prompt_tokens")
    tokens_output = count(usage, "completion_tokens")
    return {
        "tokens_input": count(usage, "input_tokens") if tokens_input is None else tokens_input,
        "tokens_output": count(usage, "output_tokens") if tokens_output is None else tokens_output,
        "tokens_cache_read": count(usage, into, "cached_tokens"),
        "tokens_audio_input": count(usage, into, "audio_tokens"),
        "tokens_reasoning": count(usage, out, "reasoning_tokens"),
        "tokens_audio_output": count(usage, out, "audio_tokens"),
        # OpenRouter says what it charged.
        "cost_reported_usd": _cost(usage),
    }


def _cost(usage: Any) -> Optional[float]:
    cost = get(usage, "cost")
    return cost if isinstance(cost, (int, float)) and not isinstance(cost, bool) else None


def _head(answer: Any) -> Dict[str, Any]:
    return {
        "model": get(answer, "model"),
        "response_id": get(answer, "id"),
        "service_tier": get(answer, "service_tier"),
        **_usage(get(answer, "usage")),
    }


def usage_of(answer: Any) -> Dict[str, Any]:
    """Tokens of an answer in OpenAI's form; nothing of one in another form."""
    told = _head(answer)
    return {name: value for name, value in told.items() if value is not None}


def _chat_answered(answer: Any) -> Dict[str, Any]:
    choices = many(answer, "choices")
    messages = [get(choice, "message") for choice in choices]
    return {
        **_head(answer),
        "response": _content(messages),
        "tool_calls": _calls([call for message in messages for call in _asked_calls(message)]),
        "finish_reason": get(choices, 0, "finish_reason"),
    }


def _content(messages: List[Any]) -> Any:
    """One answer's text; several as they came."""
    if len(messages) == 1:
        content = get(messages[0], "content")
        if content is None:
            return get(messages[0], "refusal")
        return plain(content)
    return [plain(message) for message in messages] or None


def _asked_calls(message: Any) -> List[Any]:
    calls = many(message, "tool_calls")
    old = get(message, "function_call")
    return calls if old is None else [*calls, {"function": old}]


def _calls(calls: List[Any]) -> Optional[List[Dict[str, Any]]]:
    made: List[Dict[str, Any]] = []
    for call in calls:
        function = get(call, "function")
        if function is None:
            custom = get(call, "custom")
            made.append(tool_call(get(call, "id"), get(custom, "name"), get(custom, "input")))
        else:
            name, arguments = get(function, "name"), get(function, "arguments")
            made.append(tool_call(get(call, "id"), name, arguments))
    return made or None


class _ChatPieces:
    def __init__(self) -> None:
        self._head: Dict[str, Any] = {}
        self._usage: Any = None
        self._texts: Dict[int, List[str]] = {}
        self._calls: Dict[Any, Dict[str, Any]] = {}
        self._finish: Optional[str] = None

    def add(self, piece: Any) -> bool:
        has_answer = False
        for name in ("id", "model", "service_tier"):
            value = get(piece, name)
            if value:
                self._head[name] = value
        self._usage = get(piece, "usage") or self._usage
        for choice in many(piece, "choices"):
            delta = get(choice, "delta")
            index = count(choice, "index") or 0
            text = get(delta, "content") or get(delta, "refusal") or get(choice, "text")
            if isinstance(text, str) and text:
                self._texts.setdefault(index, []).append(text)
                has_answer = True
            for call in many(delta, "tool_calls"):
                has_answer = True
                self._add_call(index, call)
            if index == 0:
                self._finish = get(choice, "finish_reason") or self._finish
        return has_answer

    def _add_call(self, choice: int, call: Any) -> None:
        place = (choice, get(call, "index"))
        known = self._calls.setdefault(place, {"id": None, "name": "", "arguments": []})
        known["id"] = get(call, "id") or known["id"]
        known["name"] = get(call, "function", "name") or known["name"]
        known["arguments"].append(get(call, "function", "arguments") or "")

    def fields(self) -> Dict[str, Any]:
        texts = ["".join(pieces) for _, pieces in sorted(self._texts.items())]
        calls = [
            tool_call(call["id"], call["name"], "".join(call["arguments"]))
            for call in self._calls.values()
        ]
        return {
            **_head({**self._head, "usage": self._usage}),
            "response": texts[0] if len(texts) == 1 else texts or None,
            "tool_calls": calls or None,
            "finish_reason": self._finish,
        }


def _responses_asked(body: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "model_requested": body.get("model"),
        "prompt": body.get("input"),
        "system_prompt": body.get("instructions"),
        "tool_definitions": body.get("tools"),
        "model_parameters": parameters(body, "model", "input", "instructions", "tools"),
    }


def _responses_answered(answer: Any) -> Dict[str, Any]:
    texts: List[Any] = []
    calls: List[Dict[str, Any]] = []
    for item in many(answer, "output"):
        kind = get(item, "type")
        if kind in ("function_call", "custom_tool_call"):
            arguments = get(item, "arguments")
            given = get(item, "input") if arguments is None else arguments
            calls.append(tool_call(get(item, "call_id"), get(item, "name"), given))
        elif kind == "message":
            for part in many(item, "content"):
                text = get(part, "text")
                texts.append((get(part, "refusal") if text is None else text, part))
        elif kind != "reasoning":
            texts.append((None, item))
    reason = get(answer, "incomplete_details", "reason") or get(answer, "status")
    fields = {
        **_head(answer),
        "response": texts_or(texts),
        "tool_calls": calls or None,
        "finish_reason": reason,
    }
    error = get(answer, "error")
    if error is not None:
        fields.update(error={"message": str(get(error, "message")), "code": get(error, "code")})
        fields["status"] = "error"
    return fields


class _ResponsesPieces:
    def __init__(self) -> None:
        self._answer: Any = None
        self._texts: List[str] = []
        self._error: Any = None

    def add(self, piece: Any) -> bool:
        kind = str(get(piece, "type"))
        answer = get(piece, "response")
        if answer is not None:
            self._answer = answer
        if kind == "error":
            self._error = piece
        if not kind.endswith(".delta"):
            return False
        if kind == "response.output_text.delta":
            self._texts.append(str(get(piece, "delta")))
        return True

    def fields(self) -> Dict[str, Any]:
        fields = _responses_answered(self._answer)
        if fields["response"] is None and self._texts:
            fields["response"] = "".join(self._texts)
        if self._error is not None:
            error = self._error
            fields["error"] = {"message": str(get(error, "message")), "code": get(error, "code")}
            fields["status"] = "error"
        return fields


def _embeddings_asked(body: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "model_requested": body.get("model"),
        "prompt": body.get("input"),
        "model_parameters": parameters(body, "model", "input"),
    }


def _embeddings_answered(answer: Any) -> Dict[str, Any]:
    # The vectors are left out: nobody reads them.
    return {**_head(answer), "attributes": {"embeddings": len(many(answer, "data"))}}


def _completion_asked(body: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "model_requested": body.get("model"),
        "prompt": body.get("prompt"),
        "model_parameters": parameters(body, "model", "prompt"),
    }


def _completion_answered(answer: Any) -> Dict[str, Any]:
    choices = many(answer, "choices")
    texts = [get(choice, "text") for choice in choices]
    return {
        **_head(answer),
        "response": texts[0] if len(texts) == 1 else texts or None,
        "finish_reason": get(choices, 0, "finish_reason"),
    }


CHAT = Operation("chat.completions", _chat_asked, _chat_answered, _ChatPieces)
OPERATIONS = {
    "chat/completions": CHAT,
    "responses": Operation("responses", _responses_asked, _responses_answered, _ResponsesPieces),
    "embeddings": Operation(
        "embeddings", _embeddings_asked, _embeddings_answered, _ChatPieces, "embedding"
    ),
    "completions": Operation("completions", _completion_asked, _completion_answered, _ChatPieces),
}
