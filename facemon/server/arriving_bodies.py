"""Bodies that are arriving: how many, how large and how slow they may be, in all and for each client.

A sender that is slow or silent must not keep others out. So a body takes no slot of the images in flight until it is
complete, and where there is no room for another one, those that arrive too slowly are ended to make some.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from facemon.server.refusal import Refused, refuse

_LEAST_RATE = 1024
"""Bytes a second that a body must bring on average: a thirtieth of what the slowest mobile networks carry."""
GRACE_SECONDS = 10.0
"""How far a body may fall behind that rate before it is ended: three lost packets in a row cost TCP seven seconds."""
SAFE_RATE = 32 * 2**10
"""Bytes a second with which a body is not ended for another one, so that good ones come to an end in a crowd."""
CREDIT_SECONDS = 1.0
"""How far a body may get ahead of a rate: one that stops after a fast beginning counts as slow after this."""
_LEAST_LEAD_SECONDS = 0.1
"""How far it must be ahead to be safe: a few bytes at the beginning are no sign of speed."""
_CLIENT_SHARE = 4
"""A client may have a quarter of all bodies, and of their bytes."""
_TOO_SLOW = f"the body came more slowly than {_LEAST_RATE} bytes a second"


@dataclass(frozen=True, slots=True)
class ArrivalLimits:
    """What all bodies that are arriving may be together; sizes in bytes."""

    bodies: int
    size: int
    body_size: int
    """Of one of them, which a client may have in any case."""
    seconds: float
    """From the end of a request's head to that of its body."""


@dataclass(eq=False, slots=True)
class ArrivingBody:
    """A body that is not complete."""

    client: str
    began: float
    on_time_until: float
    """When the bytes that have come will be too few for the least rate."""
    safe_until: float
    """The same for the safe rate."""
    clock: asyncio.Timeout
    why: str = ""
    """What its sender is told when the clock ends it."""
    size: int = 0


@dataclass(slots=True)
class _Together:
    """Some bodies, and their bytes."""

    bodies: set[ArrivingBody] = field(default_factory=set)
    size: int = 0


class ArrivingBodies:
    """Admits bodies within one event loop."""

    def __init__(self, limits: ArrivalLimits) -> None:
        self._all = _Together()
        self._by_client: dict[str, _Together] = {}
        self.hold_to(limits)

    def hold_to(self, limits: ArrivalLimits) -> None:
        """Hold bodies to other limits, those that are arriving as soon as more of them comes."""
        self._limits = limits
        self._client_bodies = max(1, limits.bodies // _CLIENT_SHARE)
        self._client_size = max(limits.body_size, limits.size // _CLIENT_SHARE)

    def __len__(self) -> int:
        return len(self._all.bodies)

    @asynccontextmanager
    async def arriving(self, client: str) -> AsyncIterator[ArrivingBody]:
        """A body of a client, while it arrives: 408 if it is too slow or takes too long, 503 if there is no room."""
        now = asyncio.get_running_loop().time()
        theirs = self._by_client.get(client) or _Together()
        if len(theirs.bodies) >= self._client_bodies:
            self._end_slowest(theirs, now)
        if len(self) >= self._limits.bodies:
            self._end_slowest(self._all, now)
        body = ArrivingBody(client, now, now, now, asyncio.timeout_at(None))
        self._by_client[client] = theirs  # not before: what was ended may have been the client's last
        for together in (self._all, theirs):
            together.bodies.add(body)
        try:
            async with body.clock:
                self._set_clock(body)
                yield body
        except TimeoutError:
            raise Refused(408, body.why) from None
        finally:
            self._forget(body)

    def grow(self, body: ArrivingBody, size: int) -> None:
        """Bytes of a body have come; 503 if there is no room for them."""
        if body not in self._all.bodies:  # it was ended in this very moment
            refuse(408, body.why)
        now = asyncio.get_running_loop().time()
        body.on_time_until = min(body.on_time_until + size / _LEAST_RATE, now + CREDIT_SECONDS)
        body.safe_until = min(body.safe_until + size / SAFE_RATE, now + CREDIT_SECONDS)
        theirs = self._by_client[body.client]
        while theirs.size + size > self._client_size:
            self._end_slowest(theirs, now, but=body)
        while self._all.size + size > self._limits.size:
            self._end_slowest(self._all, now, but=body)
        body.size += size
        for together in (self._all, theirs):
            together.size += size
        self._set_clock(body)

    def _set_clock(self, body: ArrivingBody) -> None:
        """End a body at the latest when the bytes that have come are far too few."""
        ends, is_far_behind = body.began + self._limits.seconds, body.on_time_until + GRACE_SECONDS
        body.why = _TOO_SLOW if is_far_behind < ends else f"the body had not arrived after {self._limits.seconds:g} s"
        if not body.clock.expired():
            body.clock.reschedule(min(ends, is_far_behind))

    def _end_slowest(self, together: _Together, now: float, but: ArrivingBody | None = None) -> None:
        """End the body that is furthest behind, for another one; 503 if all of them are fast."""
        slowest = min(together.bodies - {but}, key=lambda body: body.safe_until, default=None)
        if slowest is None or slowest.safe_until > now + _LEAST_LEAD_SECONDS:
            refuse(503, f"{len(self)} bodies are arriving", (b"retry-after", b"1"))
        slowest.why = f"the body came more slowly than {SAFE_RATE} bytes a second, and another one needed its room"
        if not slowest.clock.expired():
            slowest.clock.reschedule(now)
        self._forget(slowest)

    def _forget(self, body: ArrivingBody) -> None:
        if body not in self._all.bodies:
            return
        theirs = self._by_client[body.client]
        for together in (self._all, theirs):
            together.bodies.discard(body)
            together.size -= body.size
        if not theirs.bodies:
            del self._by_client[body.client]
