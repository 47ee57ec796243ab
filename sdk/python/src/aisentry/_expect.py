"""Assertions where the code runs: a breach becomes an assertion_failed event.

Nothing is raised unless asked: `raises=True` raises `AssertionError` at the first breach.
"""

from __future__ import annotations

import json
import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Pattern, Tuple, Union

from ._lifecycle import lifecycle
from ._plain import is_a, safe_text, type_name
from ._scope import current

# A pattern of a program's own may take for ever on a text that is long enough.
_TEXT_CHARACTERS_MAX = 1_000_000
_MISSING: Any = object()


class Expectation:
    """A value under test. Each check answers the expectation itself; it is true while all hold."""

    def __init__(self, value: Any, fields: Dict[str, Any], raises: bool) -> None:
        self._value = value
        self._fields = fields
        self._raises = raises
        self.failures: List[str] = []

    @property
    def ok(self) -> bool:
        return not self.failures

    def __bool__(self) -> bool:
        return self.ok

    def json(self, shape: Any = _MISSING) -> Expectation:
        """The value is JSON (text, or an object already), of this shape when one is given.

        A shape is a dict of shapes (a key that ends in "?" may be missing), a list of the shape of
        its entries, a type (str, int, float, bool, list, dict), its name ("string", "integer",
        "number", "boolean", "array", "object", "null", "any"), a tuple of alternatives, None, a
        value in a set, or a pydantic model.
        """
        problem: Optional[str]
        try:
            read = json.loads(self._value) if isinstance(self._value, (str, bytes)) else self._value
            problem = None if shape is _MISSING else misfit(read, shape)
        except (ValueError, RecursionError) as error:
            problem = f"is no JSON: {error}"
        return self._settle("json", "response_format", problem, describe(shape))

    def contains(self, *texts: str, ignore_case: bool = False) -> Expectation:
        """Every one of the texts is in it (or, of a list, every one of the entries)."""
        value = self._lowered(self._value, ignore_case)
        wanted = [self._lowered(text, ignore_case) for text in texts]
        missing = [text for text, low in zip(texts, wanted) if not _holds(value, low)]
        problem = f"lacks {', '.join(map(repr, missing))}" if missing else None
        return self._settle("contains", "custom", problem, list(texts))

    def lacks(self, *texts: str, ignore_case: bool = False) -> Expectation:
        """None of the texts is in it."""
        value = self._lowered(self._value, ignore_case)
        there = [text for text in texts if _holds(value, self._lowered(text, ignore_case))]
        problem = f"holds {', '.join(map(repr, there))}" if there else None
        return self._settle("lacks", "content_filter", problem, {"none of": list(texts)})

    def matches(self, pattern: Union[str, Pattern[str]]) -> Expectation:
        """The regular expression is found in it."""
        problem: Optional[str]
        text = safe_text(self._value)[:_TEXT_CHARACTERS_MAX]
        try:
            problem = None if re.search(pattern, text) else "does not match"
        except re.error as error:
            problem = f"is tested by a pattern that is none: {error}"
        shown: Any = pattern if isinstance(pattern, str) else pattern.pattern
        return self._settle("matches", "response_format", problem, shown)

    def length(self, least: int = 0, most: Optional[int] = None) -> Expectation:
        """As many characters, or entries."""
        try:
            size = len(self._value)
        except Exception:
            return self._settle("length", "response_format", "has no length", [least, most])
        is_kept = least <= size and (most is None or size <= most)
        problem = None if is_kept else f"has length {size}"
        return self._settle("length", "response_format", problem, {"least": least, "most": most})

    def latency(self, most_ms: float, actual_ms: Optional[float] = None) -> Expectation:
        """It took no longer: since the span began unless a duration is given."""
        if actual_ms is None:
            scope = current.get()
            actual_ms = scope.span.elapsed_ms if scope and scope.span else None
        if actual_ms is None:
            return self._settle("latency", "custom", "has no duration: outside of a span", most_ms)
        problem = None if actual_ms <= most_ms else f"took {actual_ms:.1f} ms"
        return self._settle("latency", "custom", problem, {"most_ms": most_ms}, actual_ms)

    def cost(self, most_usd: float, actual_usd: float) -> Expectation:
        """It cost no more, in US dollars."""
        problem = None if actual_usd <= most_usd else f"cost {actual_usd} US dollars"
        return self._settle("cost", "custom", problem, {"most_usd": most_usd}, actual_usd)

    def satisfies(self, test: Callable[[Any], object], name: Optional[str] = None) -> Expectation:
        """A function of the value answers something true; one that raises says no."""
        problem: Optional[str]
        called = name or str(getattr(test, "__name__", "custom"))
        try:
            problem = None if test(self._value) else "does not satisfy it"
        except Exception as error:
            problem = f"makes it raise {type_name(error)}: {safe_text(error)}"
        return self._settle(called, "custom", problem, called)

    def _lowered(self, value: Any, is_wanted: bool) -> Any:
        return value.lower() if is_wanted and isinstance(value, str) else value

    def _settle(
        self, check: str, kind: str, problem: Optional[str], expected: Any, actual: Any = _MISSING
    ) -> Expectation:
        if problem is None:
            return self
        given = {"assertion_name": check, **self._fields}
        self.failures.append(f"{given['assertion_name']}: {problem}")
        client = lifecycle.client
        if client is not None:
            client.log(
                "assertion_failed",
                {
                    "assertion_type": kind,
                    "expected": expected,
                    "actual": self._value if actual is _MISSING else actual,
                    "context": {"check": check, "problem": problem},
                    **given,
                },
            )
        if self._raises:
            raise AssertionError(self.failures[-1])
        return self


def _holds(value: Any, wanted: Any) -> bool:
    try:
        return wanted in value
    except Exception:
        return False


_NAMED: Mapping[str, Tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def misfit(value: Any, shape: Any, path: str = "it") -> Optional[str]:
    """What keeps a JSON value from being of the shape; None when nothing does."""
    if shape is Any or shape == "any":
        return None
    if isinstance(shape, str):
        return None if _is_of(value, _NAMED.get(shape, ())) else f"{path} is no {shape}"
    if shape is None:
        return None if value is None else f"{path} is not null"
    if is_a(shape, dict):
        return _dict_misfit(value, shape, path)
    if is_a(shape, list):
        return _list_misfit(value, shape, path)
    if is_a(shape, tuple):
        options: Tuple[Any, ...] = shape
        problems = [misfit(value, option, path) for option in options]
        return None if None in problems else f"{path} is none of {len(options)} alternatives"
    if is_a(shape, (set, frozenset)):
        return None if _is_one_of(value, shape) else f"{path} is none of the values allowed"
    validate = getattr(shape, "model_validate", None)
    if validate is not None:
        try:
            validate(value)
        except Exception as error:
            return f"{path} is no {shape.__name__}: {safe_text(error)}"
        return None
    if isinstance(shape, type):
        wanted: Tuple[type, ...] = (int, float) if shape is float else (shape,)
        return None if _is_of(value, wanted) else f"{path} is no {shape.__name__}"
    return f"{path} is tested by a shape that is none"


def _is_of(value: Any, kinds: Tuple[type, ...]) -> bool:
    # To Python true is a number; to JSON it is not.
    return isinstance(value, kinds) and not (isinstance(value, bool) and bool not in kinds)


def _is_one_of(value: Any, allowed: Any) -> bool:
    try:
        return value in allowed
    except TypeError:
        return False


def _dict_misfit(value: Any, shape: Dict[str, Any], path: str) -> Optional[str]:
    if not is_a(value, dict):
        return f"{path} is no object"
    entries: Dict[str, Any] = value
    for key, inner in shape.items():
        name = key[:-1] if key.endswith("?") else key
        if name not in entries:
            if key.endswith("?"):
                continue
            return f"{path}.{name} is missing"
        problem = misfit(entries[name], inner, f"{path}.{name}")
        if problem is not None:
            return problem
    return None


def _list_misfit(value: Any, shape: List[Any], path: str) -> Optional[str]:
    if not is_a(value, list):
        return f"{path} is no array"
    entries: List[Any] = value
    for index, entry in enumerate(entries):
        problem = misfit(entry, shape[0], f"{path}[{index}]") if shape else None
        if problem is not None:
            return problem
    return None


def describe(shape: Any) -> Any:
    """A shape as JSON, for people."""
    if shape is _MISSING or shape is Any:
        return "any"
    if is_a(shape, dict):
        return {key: describe(shape[key]) for key in shape}
    if is_a(shape, (list, tuple, set, frozenset)):
        return [describe(inner) for inner in shape]
    return shape.__name__ if isinstance(shape, type) else shape
