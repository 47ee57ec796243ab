"""DSN in, address and key out: http(s)://<key>@<host>[:<port>][/<base>]/<project_id>."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Union
from urllib.parse import unquote, urlsplit

FORM = "http(s)://<key>@<host>[:<port>][/<base>]/<project_id>"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ID_CHARACTERS_MAX = 128


@dataclass(frozen=True)
class Dsn:
    scheme: str
    host: str
    port: int
    # Path that events are posted to.
    path: str
    key: str
    project_id: str

    @property
    def origin(self) -> str:
        """For messages: the address without the key."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True)
class BadDsn:
    # Completes "The DSN …"; never repeats the text itself, which may hold a key.
    problem: str


def parse_dsn(text: str) -> Union[Dsn, BadDsn]:
    """Reads a DSN; what is wrong with it comes back as a value."""
    text = text.strip()
    if any(character <= " " or character == "\x7f" for character in text):
        return BadDsn("holds a space or a control character")
    try:
        parts = urlsplit(text)
        port: Optional[int] = parts.port
    except ValueError:
        return BadDsn("is not a URL")
    if parts.scheme not in _DEFAULT_PORTS:
        return BadDsn("does not start with http:// or https://")
    if parts.query or parts.fragment:
        return BadDsn("has a ? or # part")
    userinfo, at, _ = parts.netloc.rpartition("@")
    key = unquote(userinfo)
    if not at or not key:
        return BadDsn("has no key")
    # It travels as a header's value.
    if not all(" " <= character <= "~" for character in key):
        return BadDsn("has a key with characters other than printable ASCII")
    if not parts.hostname or not parts.hostname.isascii():
        return BadDsn("has no host" if not parts.hostname else "has a host that is not ASCII")
    if port == 0:
        return BadDsn("has port 0")
    base, _, last = parts.path.rstrip("/").rpartition("/")
    project_id = unquote(last)
    if not project_id or len(project_id) > _ID_CHARACTERS_MAX or not project_id.isprintable():
        return BadDsn("has no project id at its end")
    if not base.isascii():
        return BadDsn("has a path that is not ASCII")
    return Dsn(
        scheme=parts.scheme,
        host=parts.hostname,
        port=_DEFAULT_PORTS[parts.scheme] if port is None else port,
        path=f"{base}/v1/events",
        key=key,
        project_id=project_id,
    )
