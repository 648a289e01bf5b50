"""The ports that a stack opens on its machine: the usual ones, or a block of its own."""

from hashlib import sha256

from facemon.config.document import Config
from facemon.config.stack import PORTS_OF_A_STACK

_USUAL = {"grafana": 3000, "api": 8000, "exporter": 8001, "prometheus": 9090, "pushgateway": 9091, "alertmanager": 9093}
_APART = 100
"""Between the usual ports of a server and the next one of its kind: 9090, 9190, …"""
_IN_BLOCK = {"grafana": 0, "prometheus": 1, "alertmanager": 2, "api": 3, "exporter": 4, "pushgateway": 5}
_SECOND_IN_BLOCK = {"grafana": 6, "prometheus": 8, "alertmanager": 9}
"""The second of each kind; further ones follow at every second port, as far as nine."""
_LOWEST, _HIGHEST = 10_000, 32_000
"""Blocks of named stacks lie here: above the well-known ports, below those that Linux gives to clients."""


def published_port(service: str, number: int, config: Config) -> int:
    """The port of the machine on which the server with this number, from 1 on, of a kind is open."""
    first = first_port(config)
    if first is None:
        return _USUAL[service] + (number - 1) * _APART
    if number == 1:
        return first + _IN_BLOCK[service]
    return first + _SECOND_IN_BLOCK[service] + 2 * (number - 2)


def first_port(config: Config) -> int | None:
    """Where the stack's block of ports begins; None where it opens the usual ones."""
    stack = config.stack
    if stack.first_port is not None or stack.name is None:
        return stack.first_port
    blocks = (_HIGHEST - _LOWEST) // PORTS_OF_A_STACK
    number = int.from_bytes(sha256(stack.name.encode()).digest()[:8], "big") % blocks
    return _LOWEST + number * PORTS_OF_A_STACK


def reached_at(service: str, number: int, config: Config) -> str:
    """The URL by which a program on this machine asks a server of the stack."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.stack.listen, config.stack.listen)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{published_port(service, number, config)}"
