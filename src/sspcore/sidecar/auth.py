"""Who may speak: loopback or a token, the Host names we answer to, the origins of web pages.

Owns the judgement of a request by its head alone. A token says who you are; Host and Origin keep web pages that you
merely visit from reaching a server on your machine, also on loopback. Refuses to know circuits and rights.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

import attrs

from sspcore.errors import ConfigError, Forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_PATHS = frozenset({"/", "/health/live", "/favicon.svg"})
"""What needs no token: the page (code without data; it asks for the token) and whether the process lives."""


@attrs.frozen
class Refusal:
    """Why a request is not served, as the HTTP answer says it."""

    status: int
    code: str
    message: str
    hint: str = ""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to `host`.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/") or parts.query:
        raise ConfigError(
            f"{text!r} is no origin", hint="an origin is scheme://host[:port], such as https://app.example"
        )
    return f"{parts.scheme}://{parts.netloc}".lower()


def _origins(given: Iterable[str]) -> frozenset[str]:
    return frozenset(map(_origin, given))


@attrs.frozen
class Guard:
    """Judges requests by their head.

    Args:
        host: the address the server is bound to.
        token: the static bearer token; None for none, which only a loopback server may do.
        origins: web origins besides our own that may connect, such as `https://app.example`.

    Raises ConfigError (the operator's): no token beyond loopback, an empty token, a malformed origin.
    """

    host: str
    token: str | None = attrs.field(default=None, repr=False)
    origins: Collection[str] = attrs.field(default=(), converter=_origins)

    def __attrs_post_init__(self) -> None:
        if self.token is None and not is_loopback(self.host):
            raise ConfigError(
                f"refusing to serve {self.host!r} without a token: anyone who reaches it could read and write",
                hint="set the variable named by [sidecar] token_env, or bind to 127.0.0.1",
            )
        if self.token is not None and not self.token.strip():
            raise ConfigError("the token is empty", hint="set it to a long random text, or unset it")

    def judge(self, method: str, path: str, headers: Mapping[str, str], *, upgrade: bool = False) -> Refusal | None:
        """None when the request may go on. `headers` by lower-case name. An upgrade may bring its token in `hello`."""
        host = headers.get("host", "")
        if not self._host_allowed(host):
            return Refusal(
                421, "wrong_host", f"this server does not answer to Host {host[:200]!r}",
                "use its address, or list the origin under which you reach it",
            )  # fmt: skip
        if upgrade or method not in SAFE_METHODS:
            origin = headers.get("origin")
            if origin is not None and not self._origin_allowed(origin, host):
                return Refusal(
                    403, "wrong_origin", f"pages from origin {origin[:200]!r} may not use this server",
                    "list the origin in the server's configuration",
                )  # fmt: skip
            if origin is None and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
                return Refusal(403, "wrong_origin", "a page of another site may not use this server")
        if self.token is None or path in OPEN_PATHS or path.startswith("/page/"):
            return None
        given = headers.get("authorization")
        if given is None and upgrade:
            return None
        scheme, _, token = (given or "").partition(" ")
        if scheme.lower() == "bearer" and self.admits(token.strip()):
            return None
        return Refusal(
            401, Forbidden.code, "this server needs its bearer token" if given is None else "the bearer token is wrong",
            "send the header Authorization: Bearer <token>",
        )  # fmt: skip

    def admits(self, token: str | None) -> bool:
        """Whether `token` is the token, in time that does not depend on where it differs."""
        if self.token is None:
            return True
        return token is not None and hmac.compare_digest(token.encode(), self.token.encode())

    def _host_allowed(self, host: str) -> bool:
        name = _host_name(host)
        if name is None:
            return False
        if name in ("localhost", self.host.lower()) or name in {urlsplit(o).hostname for o in self.origins}:
            return True
        try:
            address = ip_address(name)
        except ValueError:
            return False
        # An address in Host is typed by hand: rebinding needs a name. Yet a loopback server has no other addresses.
        return address.is_loopback or not is_loopback(self.host)

    def _origin_allowed(self, origin: str, host: str) -> bool:
        return origin in self.origins or origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")


def _host_name(host: str) -> str | None:
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    return None if parts.path or parts.query or parts.fragment or parts.username is not None else parts.hostname


def header_map(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """ASGI headers as `judge` reads them."""
    out: dict[str, str] = {}
    for raw, value in headers:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1").strip()
        out[name] = f"{out[name]}, {text}" if name in out else text
    return out
