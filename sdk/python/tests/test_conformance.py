"""The cases of sdk/conformance, which every SDK must give the same events for."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import re
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import pytest
from stand_in import Provider
from watchllm import COMMAND, DEADLINE_S, GIVEN_DSN, get, serve

import aisentry
from aisentry._dsn import Dsn, parse_dsn

FOLDER = Path(__file__).resolve().parents[2] / "conformance"
FILES = sorted(FOLDER.glob("*.json")) if FOLDER.exists() else []
CASES: List[Dict[str, Any]] = [
    {**case, "file": file.stem}
    for file in FILES
    for case in json.loads(file.read_text(encoding="utf-8"))
]
MODULES = {"openai": "openai", "anthropic": "anthropic", "google_genai": "google.genai"}
EVENTS_MAX = 1000

pytestmark = pytest.mark.skipif(
    not COMMAND and not GIVEN_DSN, reason="neither AISENTRY_TEST_DSN nor AISENTRY_TEST_SERVER_CMD"
)


class ConformanceError(Exception):
    pass


class Unreadable:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("unreadable")

    def __repr__(self) -> str:
        raise RuntimeError("unreadable")


def cyclic_object() -> Any:
    made: Dict[str, Any] = {}
    made["self"] = made
    return made


def cyclic_list() -> Any:
    made: List[Any] = []
    made.append(made)
    return made


def nested(levels: int) -> Any:
    made: Any = []
    for _ in range(levels):
        made = [made]
    return made


# What JSON cannot say.
SPECIAL: Dict[str, Callable[[Dict[str, Any]], Any]] = {
    "nan": lambda _: float("nan"),
    "inf": lambda _: float("inf"),
    "-inf": lambda _: float("-inf"),
    "undefined": lambda _: None,
    "cyclic_object": lambda _: cyclic_object(),
    "cyclic_list": lambda _: cyclic_list(),
    "bytes": lambda told: bytes.fromhex(told["hex"]),
    "integer": lambda told: int(told["digits"]),
    "text": lambda told: told["of"] * told["times"],
    "nested": lambda told: nested(told["levels"]),
    "date": lambda told: datetime.fromisoformat(told["iso"].replace("Z", "+00:00")),
    "set": lambda told: set(told["of"]),
    "function": lambda _: cyclic_list,
    "unreadable": lambda _: Unreadable(),
    "error": lambda told: ConformanceError(told["message"]),
    "lone_surrogate": lambda _: "\ud800",
}


def value_of(told: Any) -> Any:
    if isinstance(told, dict):
        if "$value" in told:
            return SPECIAL[told["$value"]](told)
        return {key: value_of(inner) for key, inner in told.items()}
    return [value_of(inner) for inner in told] if isinstance(told, list) else told


def raising(message: str) -> Callable[..., Any]:
    def raises(*_: Any) -> Any:
        raise ConformanceError(message)

    return raises


def hook_of(told: Any) -> Any:
    if not isinstance(told, dict):
        return told
    hooks: Dict[str, Any] = {
        "raises": raising("hook"),
        "drops": lambda _: None,
        "sets": lambda event: {**event, **told.get("fields", {})},
        "shouts": str.upper,
    }
    return hooks[told["$hook"]]


class Match:
    """One attempt at matching; what the ids stand for is taken over only when all of it matched."""

    def __init__(self, ids: Dict[str, str]) -> None:
        self.ids = dict(ids)

    def matches(self, found: Any, wanted: Any) -> bool:
        if isinstance(wanted, dict):
            for word in ("$is", "$text", "$between", "$id", "$time"):
                if word in wanted:
                    return self._special(word, found, wanted[word])
            return isinstance(found, dict) and all(
                self.matches(found.get(key), inner) for key, inner in wanted.items()
            )
        if isinstance(wanted, list):
            return (
                isinstance(found, list)
                and len(found) == len(wanted)
                and all(self.matches(*pair) for pair in zip(found, wanted))
            )
        if isinstance(wanted, bool) or wanted is None or isinstance(wanted, str):
            return type(found) is type(wanted) and bool(found == wanted)
        return not isinstance(found, bool) and bool(found == wanted)

    def _special(self, word: str, found: Any, wanted: Any) -> bool:
        if word == "$is":
            return (found is None) == (wanted == "absent")
        if word == "$text":
            return isinstance(found, str) and re.search(wanted, found) is not None
        if word == "$between":
            return isinstance(found, (int, float)) and wanted[0] <= found <= wanted[1]
        if word == "$time":
            return isinstance(found, str) and moment(found) == moment(wanted)
        if not isinstance(found, str):
            return False
        if wanted in self.ids:
            return self.ids[wanted] == found
        if found in self.ids.values():
            return False
        self.ids[wanted] = found
        return True


def moment(text: str) -> datetime:
    text = re.sub(r"Z$", "+00:00", text)
    return datetime.fromisoformat(re.sub(r"\.(\d+)", lambda m: "." + m[1].ljust(6, "0")[:6], text))


def all_found(stored: List[Dict[str, Any]], wanted: List[Dict[str, Any]]) -> Optional[str]:
    ids: Dict[str, str] = {}
    left = list(stored)
    for one in wanted:
        for event in left:
            match = Match(ids)
            if match.matches(event, one):
                ids = match.ids
                left.remove(event)
                break
        else:
            return f"no stored event matches {one}\nleft: {json.dumps(left, indent=1)}"
    return f"stored beside what is wanted: {left}" if left else None


class Runner:
    def __init__(self, stand_in: Provider) -> None:
        self._stand_in = stand_in

    def calls(self, calls: List[Dict[str, Any]]) -> None:
        for call in calls:
            self.call(call)

    def call(self, call: Dict[str, Any]) -> None:
        verb = call["verb"]
        form = getattr(self, f"_{verb}", self._plain)
        if "raises" in call and verb not in ("observe",) and not isinstance(call["raises"], dict):
            with pytest.raises(Exception, match=re.escape(call["raises"])):
                form(call)
            return
        given = form(call)
        if "gives" in call:
            assert Match({}).matches(given, call["gives"]), (given, call["gives"])

    def _plain(self, call: Dict[str, Any]) -> Any:
        fields = value_of(call.get("with", {}))
        args = [value_of(argument) for argument in call.get("args", [])]
        return getattr(aisentry, call["verb"])(*args, **fields)

    def _span(self, call: Dict[str, Any]) -> None:
        fields = value_of(call.get("with", {}))
        found = aisentry.extract(call["from"]) if "from" in call else {}
        with aisentry.span(**{**fields, **found}):
            self.calls(call.get("inside", []))
            if isinstance(call.get("raises"), dict):
                raise value_of(call["raises"])

    def _span_set(self, call: Dict[str, Any]) -> None:
        active = aisentry.current_span()
        assert active is not None
        active.set(**value_of(call["with"]))

    def _observe(self, call: Dict[str, Any]) -> Any:
        work = Observed(call, self)
        observed = aisentry.observe(**value_of(call.get("with", {})))(work.function())
        args = [value_of(argument) for argument in call.get("args", [])]
        if "raises" in call:
            with pytest.raises(ConformanceError, match=re.escape(call["raises"])):
                work.run(observed, args)
            return None
        return work.run(observed, args)

    def _expect(self, call: Dict[str, Any]) -> bool:
        checked = aisentry.expect(value_of(call.get("value")), **value_of(call.get("with", {})))
        for name, *arguments in call["checks"]:
            if name == "satisfies":
                told = arguments[0]
                test = raising(told["$raises"]) if "$raises" in told else answering(told)
                checked = checked.satisfies(test)
            else:
                checked = getattr(checked, name)(*arguments)
        return checked.ok

    def _provider(self, call: Dict[str, Any]) -> Any:
        return call_provider(self._stand_in, call)


def answering(told: Dict[str, Any]) -> Callable[[Any], bool]:
    return lambda _: bool(told["$answers"])


class Observed:
    """A function of one of four forms, that does what the case says."""

    def __init__(self, call: Dict[str, Any], runner: Runner) -> None:
        self._told = call
        self._runner = runner

    def _inside(self) -> None:
        self._runner.calls(self._told.get("inside", []))

    def _end(self) -> Any:
        if "raises" in self._told:
            raise ConformanceError(self._told["raises"])
        return value_of(self._told.get("returns"))

    def function(self) -> Callable[..., Any]:
        def function(*args: Any) -> Any:
            self._inside()
            return self._end()

        async def coroutine(*args: Any) -> Any:
            self._inside()
            await asyncio.sleep(0)
            return self._end()

        def generator(*args: Any) -> Iterator[Any]:
            self._inside()
            yield from self._told.get("yields", [])
            self._end()

        async def async_generator(*args: Any) -> Any:
            self._inside()
            for item in self._told.get("yields", []):
                yield item
            self._end()

        forms: Dict[str, Callable[..., Any]] = {
            "function": function,
            "async": coroutine,
            "generator": generator,
            "async_generator": async_generator,
        }
        return forms[self._told["form"]]

    def run(self, observed: Callable[..., Any], args: List[Any]) -> Any:
        form, take = self._told["form"], self._told.get("take", -1)
        if form == "function":
            return observed(*args)
        if form == "async":
            return asyncio.run(observed(*args))
        items: List[Any] = []
        if form == "generator":
            source = observed(*args)
            for item in source:
                items.append(item)
                if len(items) == take:
                    break
            source.close()
            return items

        async def read() -> None:
            many = observed(*args)
            async for item in many:
                items.append(item)
                if len(items) == take:
                    break
            await many.aclose()

        asyncio.run(read())
        return items


def provider_client(name: str, url: str) -> Tuple[Any, str]:
    """A client of the real library, and the address that its paths are added to."""
    key = "key-of-the-tests-0123456789"
    module: Any = importlib.import_module(MODULES[name])
    if name == "openai":
        return module.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0), "/v1"
    if name == "anthropic":
        return module.Anthropic(base_url=url, api_key=key, max_retries=0), ""
    options = module.types.HttpOptions(base_url=url)
    return module.Client(api_key=key, http_options=options), ""


def call_provider(provider: Provider, call: Dict[str, Any]) -> Any:
    exchange = json.loads(
        (FOLDER / "exchanges" / f"{call['exchange']}.json").read_text(encoding="utf-8")
    )
    provider.will_give([exchange["response"]])
    client, _ = provider_client(call["client"], provider.url)
    method: Any = aisentry.wrap(client)
    for step in call["method"].split("."):
        method = getattr(method, step)
    result = method(**value_of(call["with"]))
    if hasattr(result, "__next__"):
        take = call.get("take", -1)
        for count, _ in enumerate(result, 1):
            if count == take:
                break
        close = getattr(result, "close", None)
        if close is not None:
            close()
        return None
    return result.model_dump(mode="json")


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dsn]:
    for text in serve(tmp_path_factory.mktemp("data")):
        parsed = parse_dsn(text)
        assert isinstance(parsed, Dsn)
        yield parsed


@pytest.fixture(scope="module")
def stand_in() -> Iterator[Provider]:
    running = Provider()
    yield running
    running.close()


def has(client: str) -> bool:
    try:
        return importlib.util.find_spec(MODULES[client]) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("case", CASES, ids=[f"{case['file']}: {case['name']}" for case in CASES])
def test_case(case: Dict[str, Any], dsn: Dsn, stand_in: Provider) -> None:
    clients = [call["client"] for call in case["calls"] if call["verb"] == "provider"]
    if not all(has(client) for client in clients):
        pytest.skip(f"{clients} not installed")
    env = uuid.uuid4().hex
    options = value_of(case.get("init", {}))
    hooks = {name: hook_of(options[name]) for name in ("before_send", "redact") if name in options}
    base = dsn.path[: -len("/v1/events")]
    aisentry.init(
        f"{dsn.scheme}://{dsn.key}@{dsn.host}:{dsn.port}{base}/{dsn.project_id}",
        env=env,
        **{"instrument": False, **options, **hooks},
    )
    Runner(stand_in).calls(case["calls"])
    assert aisentry.flush(DEADLINE_S)
    dropped = aisentry.stats()["dropped"]
    assert dropped == case.get("dropped", {})
    stored = get(dsn, f"/api/events?project_id={dsn.project_id}&env={env}&limit={EVENTS_MAX}")
    problem = all_found([full(dsn, event) for event in stored["events"]], case["events"])
    assert problem is None, problem


def full(dsn: Dsn, event: Dict[str, Any]) -> Dict[str, Any]:
    """Lists leave out heavy texts; the event itself has them."""
    return get(dsn, f"/api/events/{event['event_id']}?project_id={dsn.project_id}")
