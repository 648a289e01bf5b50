"""A transport that sends an answer's head together with what follows: a client wakes up once for both."""

import asyncio
from typing import Any


class JoinedWrites:
    """Keeps what is written until something follows it, or the event loop has nothing else to do."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._kept = b""
        # Asked for several times in each request, which `__getattr__` would make ten times as slow.
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send at once what was kept and `data`, or keep `data` where nothing was."""
        if self._kept:
            kept, self._kept = self._kept, b""
            self._transport.write(kept + data)
        else:
            self._kept = data
            self._loop.call_soon(self._send_kept)

    def close(self) -> None:
        """Close after all is sent."""
        self._send_kept()
        self._transport.close()

    def get_write_buffer_size(self) -> int:
        """Bytes that are not sent."""
        return len(self._kept) + self._transport.get_write_buffer_size()

    def _send_kept(self) -> None:
        if self._kept and not self._transport.is_closing():
            kept, self._kept = self._kept, b""
            self._transport.write(kept)
