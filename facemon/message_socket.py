"""Whole Python values between two processes of one program, over a socket: their length, then a pickle."""

import pickle
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("!Q")
_PART_BYTES = 2**16
"""Read at once: room for more would be mapped and unmapped for each answer."""


def send(connection: socket.socket, message: object) -> None:
    """Send a value whole; OSError when the other side has ended."""
    connection.sendall(_packed(message))


def receive(connection: socket.socket) -> Any:
    """Return the next value; EOFError or OSError when the other side has ended."""
    (length,) = _LENGTH.unpack(_read(connection, _LENGTH.size))
    return pickle.loads(_read(connection, length))  # noqa: S301 - from a process that this one began


async def ask(connection: socket.socket, message: object) -> Any:
    """Send a value and return the one that answers it, while the event loop goes on; errors as `send` and `receive`."""
    import asyncio

    loop = asyncio.get_running_loop()
    connection.setblocking(False)
    await loop.sock_sendall(connection, _packed(message))
    # Only one answer arrives before the next message is sent.
    received = part = await loop.sock_recv(connection, _PART_BYTES)
    while part and not _is_whole(received):
        part = await loop.sock_recv(connection, _PART_BYTES)
        received += part
    if not part:
        raise EOFError
    return pickle.loads(memoryview(received)[_LENGTH.size :])  # noqa: S301 - from a process that this one began


def _packed(message: object) -> bytes:
    """A value as it is sent."""
    pickled = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(pickled)) + pickled


def _is_whole(received: bytes) -> bool:
    return len(received) >= _LENGTH.size and len(received) >= _LENGTH.size + _LENGTH.unpack_from(received)[0]


def _read(connection: socket.socket, length: int) -> bytearray:
    received = bytearray(length)
    rest = memoryview(received)
    while rest:
        if not (count := connection.recv_into(rest)):
            raise EOFError
        rest = rest[count:]
    return received
