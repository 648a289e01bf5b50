"""Which client a request comes from: its connection's other end, or what a proxy that is trusted says."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from facemon.server.asgi import Application, Receive, Scope, Send, header

_HEADER = b"x-forwarded-for"
_IPV6_PREFIX = 64
"""A client with one IPv6 address mostly has the whole network of this prefix length."""

Network = IPv4Network | IPv6Network


def client_of(scope: Scope) -> str:
    """The client as limits know it: an IPv4 address, or the network of an IPv6 address."""
    client = scope.get("client")
    host: str = client[0] if client else ""
    if ":" not in host:
        return host
    address = _address(host)
    return str(address if isinstance(address, IPv4Address) else IPv6Network((host, _IPV6_PREFIX), strict=False))


class ForwardedClients:
    """Around an application: the client of a request that comes through a trusted proxy is the one that it names."""

    def __init__(self, application: Application, proxies: Sequence[Network]) -> None:
        self._application = application
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with its `client` corrected in the scope."""
        if scope["type"] == "http" and (client := scope.get("client")) and (named := header(scope, _HEADER)):
            scope["client"] = (self._origin(client[0], named.split(",")), 0)
        await self._application(scope, receive, send)

    def _origin(self, peer: str, hops: Iterable[str]) -> str:
        """The rightmost hop that is not a trusted proxy: everything left of it is what its sender made up."""
        origin = peer
        for hop in reversed(list(hops)):
            if not self._trusts(origin) or (address := _address(_without_port(hop.strip()))) is None:
                break
            origin = str(address)
        return origin

    def _trusts(self, host: str) -> bool:
        address = _address(host)
        return address is not None and any(address in network for network in self._proxies)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _without_port(hop: str) -> str:
    """Some proxies add the client's port: `192.0.2.7:4711`, `[2001:db8::7]:4711`."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
