"""Requests that a web page makes a browser send: only pages of the server's own hosts may.

A browser posts a form to any address, the loopback one too, on behalf of any page: that shows in the Origin and
Sec-Fetch-Site headers. And a page whose name is made to resolve to this server (DNS rebinding) counts as the server's
own, and may read the answers: that shows in the name of the Host header alone. Programs send neither an Origin nor a
foreign Host, so for them nothing changes.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from facemon.config.document import Config
from facemon.config.prometheus import Job
from facemon.config.quantities import Listen
from facemon.server.asgi import Scope
from facemon.server.refusal import refuse

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.~-]+)(?::(\d{1,5}))?", re.ASCII)
_ORIGIN = re.compile(r"(https?)://(\S+)")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_PRIVATE_SUFFIXES = (".localhost", ".local", ".internal", ".home.arpa")
"""Reserved: no site of the Internet has a name below these."""
_SAFE_METHODS = frozenset(("GET", "HEAD"))
_FOREIGN_SITES = frozenset((b"cross-site", b"same-site"))
_OPEN_TO_ALL = frozenset(("/health", "/ready"))
"""Load balancers ask for these by any name, and they tell nothing of what was predicted."""
_SHOWN = 100


class _Authority(NamedTuple):
    """A host in small letters, and a port or nothing."""

    host: str
    port: str


class AllowedHosts:
    """The host names by which a server may be asked for.

    An address is allowed, and so is a name that no site of the Internet can have: localhost, any other name without a
    dot, and what ends in .localhost, .local, .internal or .home.arpa. Other names have to be listed: a host, `.DOMAIN`
    for all hosts below a domain, or `*` for every name.
    """

    def __init__(self, listed: Iterable[str] = ()) -> None:
        self._listed = frozenset(name.lower() for name in listed)
        self._is_known = lru_cache(maxsize=256)(self._allows)

    def allows(self, host: str) -> bool:
        """Whether the value of a Host header, which may be missing or empty, is allowed."""
        return self._is_known(host)

    def names(self, host: str) -> bool:
        """Whether a host is listed by its name or its domain."""
        parts = host.split(".")
        return host in self._listed or any("." + ".".join(parts[at:]) in self._listed for at in range(1, len(parts)))

    def _allows(self, host: str) -> bool:
        if not host or "*" in self._listed:
            return True
        authority = _authority(host)
        return authority is not None and (_is_private(authority.host) or self.names(authority.host))


def hosts_of_api(config: Config, listen: Listen) -> tuple[str, ...]:
    """What is allowed for the API: api.allowed_hosts, its address, and the targets that Prometheus scrapes."""
    return (*config.api.allowed_hosts, listen.host, *_target_hosts(config, "api"))


def hosts_of_exporter(config: Config, listen: Listen) -> tuple[str, ...]:
    """What is allowed for the exporter, in the same way; any host where other machines can reach it.

    Prometheus asks for it by whatever name it has there, and all that can reach it can read it anyway.
    """
    return (listen.host, *_target_hosts(config, "exporter")) if listen.is_loopback else ("*",)


def _target_hosts(config: Config, job: Job) -> Iterable[str]:
    return (target.rpartition(":")[0] for target in config.prometheus.targets.get(job, ()))


class ForeignPages:
    """Refuses what pages of other sites make a browser send."""

    def __init__(self, hosts: AllowedHosts) -> None:
        self._hosts = hosts

    def check(self, scope: Scope) -> None:
        """403 for a request of a foreign page."""
        if scope["path"] in _OPEN_TO_ALL:
            return
        host, origins, site = "", [], b""
        for name, value in scope["headers"]:
            if name == b"host":
                host = value.decode("latin-1")
                if not self._hosts.allows(host):
                    refuse(403, f"{host[:_SHOWN]!r} is not a host of this server: list it in api.allowed_hosts")
            elif name == b"origin":
                origins.append(value.decode("latin-1"))
            elif name == b"sec-fetch-site":
                site = value
        for origin in origins:
            if not self._is_own(origin, host):
                refuse(403, f"a page of {origin[:_SHOWN]!r} may not send this: list its host in api.allowed_hosts")
        # A browser leaves the origin out where a link is followed, which changes nothing here.
        if not origins and site in _FOREIGN_SITES and scope["method"] not in _SAFE_METHODS:
            refuse(403, "a page of another site may not send this")

    def _is_own(self, origin: str, host: str) -> bool:
        match = _ORIGIN.fullmatch(origin.lower())
        authority = _authority(match[2]) if match else None
        if match is None or authority is None:  # `null` too, of a page in a sandbox or a file
            return False
        default = _DEFAULT_PORTS[match[1]]
        asked = _authority(host) or _Authority("", "")
        is_same = (asked.host, asked.port or default) == (authority.host, authority.port or default)
        return is_same or self._hosts.names(authority.host)


def _authority(text: str) -> _Authority | None:
    match = _AUTHORITY.fullmatch(text.lower())
    return _Authority(match[1].removesuffix("."), match[2] or "") if match else None


def _is_private(host: str) -> bool:
    """Whether a host is an address, or a name that no site of the Internet can have."""
    # What ends in a number is an address to browsers, also one such as 127.1; there is no such domain.
    is_address = host.startswith("[") or host.rpartition(".")[2].isdigit()
    return is_address or "." not in host or host.endswith(_PRIVATE_SUFFIXES)
