"""Reading what providers answer, as JSON or as the client libraries' objects, old and new."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Mapping, Optional, Protocol, Tuple, cast
from urllib.parse import urlsplit


class Pieces(Protocol):
    """Puts a streamed answer together."""

    def add(self, piece: Any) -> bool:
        """Takes a piece; whether it holds a part of the answer itself."""
        ...

    def fields(self) -> Dict[str, Any]: ...


class Operation:
    """What one address of a provider is asked and answers."""

    def __init__(
        self,
        name: str,
        asked: Callable[[Dict[str, Any]], Dict[str, Any]],
        answered: Callable[[Any], Dict[str, Any]],
        pieces: Callable[[], Pieces],
        kind: str = "generation",
    ) -> None:
        self.name = name
        self.asked = asked
        self.answered = answered
        self.pieces = pieces
        self.kind = kind


def get(value: Any, *path: Any) -> Any:
    """Follows keys, attributes and indexes; None where it ends."""
    for step in path:
        if value is None:
            return None
        if isinstance(step, int):
            many = cast(List[Any], value) if isinstance(value, (list, tuple)) else []
            value = many[step] if len(many) > step else None
        elif isinstance(value, Mapping):
            value = cast(Mapping[str, Any], value).get(step)
        else:
            value = getattr(value, step, None)
    return value


def many(value: Any, *path: Any) -> List[Any]:
    """A list at the end of the path; empty when there is none."""
    found = get(value, *path)
    return list(cast(List[Any], found)) if isinstance(found, (list, tuple)) else []


def plain(value: Any) -> Any:
    """A client library's object as JSON has it; anything else as it is."""
    kind = cast(Any, type(value))
    dump = getattr(kind, "model_dump", None)
    if dump is not None:
        try:
            return dump(value, exclude_none=True, warnings=False)
        except TypeError:
            return dump(value, exclude_none=True)
    dump = getattr(kind, "dict", None) if hasattr(kind, "__fields__") else None
    if dump is not None:
        return dump(value, exclude_none=True)
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in cast(List[Any], value)]
    return value


def is_given(value: Any) -> bool:
    # The libraries' marks of an argument that was left out.
    return value is not None and type(value).__name__ not in ("NotGiven", "Omit")


def request_of(body: Any) -> Dict[str, Any]:
    given = cast(Dict[str, Any], body) if isinstance(body, Mapping) else {}
    return {name: value for name, value in given.items() if is_given(value)}


def parameters(body: Dict[str, Any], *told: str) -> Optional[Dict[str, Any]]:
    """What else was asked for: temperature and the like."""
    left = {name: value for name, value in body.items() if name not in told}
    return left or None


def count(value: Any, *path: Any) -> Optional[int]:
    number = get(value, *path)
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def total(*counts: Optional[int]) -> Optional[int]:
    """Their sum; None when none of them is known."""
    known = [number for number in counts if number is not None]
    return sum(known) if known else None


def tool_call(identity: Any, name: Any, arguments: Any) -> Dict[str, Any]:
    """A tool call that a model asks for, alike for all providers."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            pass
    call = {"id": identity, "name": name, "arguments": plain(arguments)}
    return {key: value for key, value in call.items() if value is not None}


def texts_or(parts: List[Tuple[Optional[str], Any]]) -> Any:
    """Parts that are all text as one text; otherwise the parts as they came."""
    if not parts:
        return None
    texts = [text for text, _ in parts]
    if all(text is not None for text in texts):
        return "".join(cast(List[str], texts))
    return [plain(part) for _, part in parts]


_PROVIDERS = (
    ("openai.azure.com", "azure"),
    ("cognitiveservices.azure.com", "azure"),
    ("services.ai.azure.com", "azure"),
    ("api.openai.com", "openai"),
    ("api.anthropic.com", "anthropic"),
    ("openrouter.ai", "openrouter"),
    ("groq.com", "groq"),
    ("deepseek.com", "deepseek"),
    ("mistral.ai", "mistral"),
    ("together.xyz", "together"),
    ("together.ai", "together"),
    ("fireworks.ai", "fireworks"),
    ("cerebras.ai", "cerebras"),
    ("x.ai", "x-ai"),
    ("perplexity.ai", "perplexity"),
    ("moonshot.ai", "moonshotai"),
    ("moonshot.cn", "moonshotai"),
    ("aiplatform.googleapis.com", "google"),
    ("generativelanguage.googleapis.com", "google"),
    ("amazonaws.com", "aws"),
)


def provider_of(address: Any, otherwise: str) -> str:
    """Who answers at an address; `otherwise` when it is nobody that is known."""
    host = urlsplit(str(address)).hostname or ""
    for ending, provider in _PROVIDERS:
        if host == ending or host.endswith("." + ending):
            return provider
    return otherwise
