"""What must not leave the machine: taken out of a composed event, on the worker's thread. Pure.

Keys, passwords and tokens always; personal data where init() asks for it; all content where it is
not to be captured. What is taken out leaves a mark that says of which kind it was.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Iterable, List, Pattern, Tuple, Union, cast

from ._fields import KINDS

# Text in, text out: a program's own redaction.
Redactor = Callable[[str], str]
Redact = Union[None, bool, str, Redactor, Iterable[Union[str, Redactor]]]

_SECRET = "[SECRET]"
# A text without any of these holds none of the patterns: most texts are told by this alone.
_MARKS = (
    *("sk-", "akia", "asia", "aiza", "ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_"),
    *("xox", "bearer ", "basic ", "eyj", "private key-----", "://", "glpat-", "hf_"),
)
_SECRETS: Tuple[Tuple[Pattern[str], str], ...] = (
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|$)", re.S),
        _SECRET,
    ),
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{12,}", re.I), rf"\1 {_SECRET}"),
    (re.compile(r"\bsk-[A-Za-z0-9_-]{16,}"), _SECRET),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), _SECRET),
    (re.compile(r"\bAIza[0-9A-Za-z_-]{35}"), _SECRET),
    (re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})"), _SECRET),
    (
        re.compile(r"\b(?:xox[abeprs]-[A-Za-z0-9-]{10,}|glpat-[\w-]{16,}|hf_[A-Za-z0-9]{20,})"),
        _SECRET,
    ),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"), _SECRET),
    (re.compile(r"(?<=://)[^/\s:@\"']{0,256}:[^/\s@\"']{1,256}(?=@)"), _SECRET),
)
_SECRET_KEYS = frozenset(
    "authorization proxy_authorization api_key apikey x_api_key x_goog_api_key password passwd "
    "secret client_secret access_token refresh_token id_token private_key cookie set_cookie "
    "aws_secret_access_key aws_session_token".split()
)
_KEY_MARK = re.compile(f'"(?:{"|".join(sorted(_SECRET_KEYS)).replace("_", "[-_]")})":')

_CARD = re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-])")
_PERSONAL: Dict[str, Pattern[str]] = {
    "EMAIL_ADDRESS": re.compile(
        r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"
    ),
    "CREDIT_CARD": _CARD,
    "PHONE_NUMBER": re.compile(
        r"(?<![\w.])(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)|\d{2,4})(?:[ .-]\d{2,4}){2,4}(?![\w.])"
    ),
    "IP_ADDRESS": re.compile(
        r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.])"
    ),
    "IBAN": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    "US_SSN": re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"),
}
PERSONAL_KINDS = tuple(_PERSONAL)
# The narrow ones first: a card's digits would pass for a phone's.
_ORDER = ("EMAIL_ADDRESS", "IBAN", "CREDIT_CARD", "US_SSN", "IP_ADDRESS", "PHONE_NUMBER")

# What people wrote or programs said; the rest is names, counts and times.
CONTENT_FIELDS = frozenset(
    name
    for name, kind in KINDS.items()
    if kind in ("value", "list", "text") or name in ("response_metadata", "recommendations")
)


# Of these kinds nothing is taken out; of those, keys but no personal data: one filters by them.
_FIXED = ("id", "enum", "timestamp")
_NAMES = ("label", "labels")


def redactors_of(wanted: Redact) -> Tuple[Tuple[Redactor, ...], List[str]]:
    """The redactors that were asked for, and the names that are none."""
    if wanted is None or wanted is False:
        return (), []
    if wanted is True:
        many: List[Any] = list(_ORDER)
    else:
        many = [wanted] if isinstance(wanted, str) or callable(wanted) else list(wanted)
    own: List[Redactor] = [entry for entry in many if not isinstance(entry, str)]
    names = [entry.upper() for entry in many if isinstance(entry, str)]
    known = [_personal(name) for name in _ORDER if name in names]
    return tuple(known + own), [name for name in names if name not in _PERSONAL]


def _personal(name: str) -> Redactor:
    pattern, mark = _PERSONAL[name], f"[{name}]"
    if name == "CREDIT_CARD":
        return lambda text: pattern.sub(lambda found: _card(found.group()), text)
    return lambda text: pattern.sub(mark, text)


def _card(text: str) -> str:
    digits = [int(character) for character in text if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return text if (sum(digits[-1::-2]) + sum(doubled)) % 10 else "[CREDIT_CARD]"


class Scrubber:
    """One client's redaction."""

    def __init__(self, redactors: Tuple[Redactor, ...], keeps_content: bool) -> None:
        self._redactors = redactors
        self._keeps_content = keeps_content

    def may_hold(self, text: str) -> bool:
        """Whether an event's JSON may hold anything to take out: of most, one look at it tells."""
        if self._redactors or not self._keeps_content:
            return True
        text = text.lower()
        return any(mark in text for mark in _MARKS) or _KEY_MARK.search(text) is not None

    def scrub(self, event: Dict[str, Any]) -> Dict[str, Any]:
        """The event, cleaner. A redactor that raises has the text removed."""
        if not self._keeps_content:
            event = {name: value for name, value in event.items() if name not in CONTENT_FIELDS}
            if isinstance(event.get("error"), dict):
                # A provider's message may repeat what it was asked.
                kept = {name: event["error"].get(name) for name in ("type", "code")}
                event["error"] = {name: value for name, value in kept.items() if value is not None}
        return {
            name: self._clean(value, KINDS.get(name) not in _NAMES and name != "client")
            if KINDS.get(name) not in _FIXED
            else value
            for name, value in event.items()
        }

    def _clean(self, value: Any, is_content: bool) -> Any:
        if isinstance(value, str):
            return self._text(value, is_content)
        if isinstance(value, dict):
            entries = cast(Dict[str, Any], value)
            return {
                key: _SECRET if _is_secret(key, entry) else self._clean(entry, is_content)
                for key, entry in entries.items()
            }
        if isinstance(value, list):
            return [self._clean(entry, is_content) for entry in cast(List[Any], value)]
        return value

    def _text(self, text: str, is_content: bool) -> str:
        lowered = text.lower()
        if any(mark in lowered for mark in _MARKS):
            for pattern, mark in _SECRETS:
                text = pattern.sub(mark, text)
        for redact in self._redactors if is_content else ():
            try:
                left: Any = redact(text)
            except Exception:
                return "[removed: redact failed]"
            text = left if isinstance(left, str) else "[removed: redact failed]"
        return text


def _is_secret(key: str, value: Any) -> bool:
    return isinstance(value, str) and key.lower().replace("-", "_") in _SECRET_KEYS
