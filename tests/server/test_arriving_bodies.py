"""Bodies that are slow, many or large beside a good client: who loses, what it costs, and who counts as a client."""

import asyncio
import select
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.server import arriving_bodies
from facemon.server.arriving_bodies import SAFE_RATE, ArrivalLimits, ArrivingBodies
from facemon.server.client_address import ForwardedClients, client_of
from facemon.server.guarded_connection import ConnectionLimits
from facemon.server.refusal import Refused
from tests.patience import HANG_S, wait_until
from tests.server.raw_requests import connected, read_answer, request
from tests.server.served_api import Api, picture, served

HEAD = request("POST", "/predict", "Content-Length: 50000")


@contextmanager
def slow_senders(api: Api, count: int) -> Iterator[None]:
    """So many connections, each with a head and a byte now and then; one that is ended comes back at once."""
    begun, over = threading.Event(), threading.Event()

    def drip() -> None:
        with ExitStack() as stack:
            held = [stack.enter_context(connected(api.port)) for _ in range(count)]
            for each in held:
                each.sendall(HEAD + b"x")
            begun.set()
            while not over.wait(0.1):
                for place, each in enumerate(held):
                    try:
                        each.sendall(b"x")
                    except OSError:
                        held[place] = stack.enter_context(connected(api.port))
                        held[place].sendall(HEAD + b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        assert begun.wait(HANG_S)
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize(
    ("senders", "connections"), [(64, 1000), pytest.param(300, 1000, marks=pytest.mark.slow), (300, 100)]
)
def test_slow_bodies_disturb_no_good_client_of_their_address(tmp_path: Path, senders: int, connections: int) -> None:
    """There is room for 128 bodies of an address, and in the last case for fewer connections than there are senders."""
    options: dict[str, Any] = {"max_connections": connections, "timeout": timedelta(seconds=HANG_S)}
    with served(tmp_path, limits=ConnectionLimits(connections), **options) as api, slow_senders(api, senders):
        # Before they are judged, all connections may be taken by heads that came together.
        wait_until(lambda: senders < connections or api.ask("POST", "/predict", picture((0, 0, 0)))[0] == 200)
        codes = [api.ask("POST", "/predict", picture((shade, 0, 0)))[0] for shade in range(60)]
        assert codes == [200] * 60
    assert api.reported == []


def test_a_body_that_falls_too_far_behind_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving_bodies, "GRACE_SECONDS", 0.2)
    with served(tmp_path, timeout=timedelta(seconds=HANG_S)) as api:
        for begun in (b"", b"x", b"x" * 40_000):  # the last one is fast for a moment, which helps it for a second
            with connected(api.port) as slow:
                slow.sendall(HEAD + begun)
                code, body = read_answer(slow)
                assert (code, b"more slowly than 1024 bytes a second" in body) == (408, True)
        with connected(api.port) as steady:
            content = picture() + bytes(2000)
            steady.sendall(request("POST", "/predict", f"Content-Length: {len(content)}"))
            for start in range(0, len(content), 100):
                steady.sendall(content[start : start + 100])
                time.sleep(0.02)
            assert read_answer(steady)[0] == 200, "slow, but not too slow"


def test_the_memory_of_bodies_that_arrive_is_bounded(tmp_path: Path) -> None:
    limit, size = 400_000, 90_000
    options: dict[str, Any] = {"max_arriving_bytes": limit, "timeout": timedelta(seconds=HANG_S)}
    head = request("POST", "/predict", f"Content-Length: {size + 1}")
    with served(tmp_path, **options) as api, ExitStack() as stack:
        held = [stack.enter_context(connected(api.port)) for _ in range(8)]
        for each in held:
            with suppress(ConnectionError):
                each.sendall(head + b"x" * size)
        # One of the address's own has room in any case; more are refused, or ended for it once they stall.
        wait_until(lambda: sum(api.requests("/predict").values()) == len(held) - 1)
        assert set(api.requests("/predict")) <= {"408", "503"}
        wait_until(lambda: api.ask("POST", "/predict", picture())[0] == 200)


def test_a_body_that_comes_with_its_head_needs_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving_bodies, "SAFE_RATE", 1)
    monkeypatch.setattr(arriving_bodies, "CREDIT_SECONDS", HANG_S)
    content = picture()
    head = request("POST", "/predict", f"Content-Length: {len(content)}")
    with served(tmp_path, max_arriving=1, timeout=timedelta(seconds=HANG_S)) as api, connected(api.port) as fast:
        fast.sendall(HEAD + b"x" * 1000)
        with connected(api.port) as late:
            late.sendall(head)
            assert read_answer(late)[0] == 503
        with connected(api.port) as whole:
            whole.sendall(head + content)
            assert read_answer(whole)[0] == 200


# The rule itself, without sockets.

Scene = Callable[[ArrivingBodies], Awaitable[None]]


def played(scene: Scene, *, bodies: int = 8, size: int = 1000, body_size: int = 250) -> None:
    limits = ArrivalLimits(bodies, size, body_size, seconds=HANG_S)

    async def play() -> None:
        arriving = ArrivingBodies(limits)
        await scene(arriving)
        assert len(arriving) == 0
        assert vars(arriving)["_all"].size == 0
        assert vars(arriving)["_by_client"] == {}

    asyncio.run(play())


async def hold(arriving: ArrivingBodies, client: str, size: int = 0) -> None:
    async with arriving.arriving(client) as body:
        arriving.grow(body, size)
        await asyncio.Event().wait()


async def begin(arriving: ArrivingBodies, *clients: str, size: int = 0) -> list["asyncio.Task[None]"]:
    tasks = [asyncio.create_task(hold(arriving, client, size)) for client in clients]
    for _ in range(3):
        await asyncio.sleep(0.002)
    return tasks


async def end(tasks: list["asyncio.Task[None]"]) -> list[int | None]:
    """The code with which each was refused, None for those that were still arriving."""
    await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    return [outcome.code if isinstance(outcome, Refused) else None for outcome in outcomes]


def test_a_client_may_have_a_quarter_and_the_slowest_of_its_own_goes() -> None:
    async def scene(arriving: ArrivingBodies) -> None:
        others = await begin(arriving, "b", "c", "d")
        own = await begin(arriving, "a") + await begin(arriving, "a") + await begin(arriving, "a")
        assert len(arriving) == 5
        assert await end([*others, *own]) == [None, None, None, 408, None, None]

    played(scene)


def test_where_all_is_full_the_slowest_of_all_goes() -> None:
    async def scene(arriving: ArrivingBodies) -> None:
        first = await begin(arriving, "a")
        tasks = [*first, *await begin(arriving, *"bcdefgh"), *await begin(arriving, "i")]
        assert len(arriving) == 8
        assert await end(tasks) == [408, *[None] * 8]

    played(scene)


def test_who_is_fast_is_not_ended_for_a_new_one() -> None:
    async def scene(arriving: ArrivingBodies) -> None:
        fast = await begin(arriving, *"abcdefgh", size=SAFE_RATE)
        late = await begin(arriving, "i")
        assert await end([*fast, *late]) == [*[None] * 8, 503]

    played(scene, size=2**20, body_size=2**16)


@pytest.mark.parametrize(("size", "expected"), [(100, [None] * 2), (200, [408, None])])
def test_bytes_of_a_client_are_held_to_a_quarter(size: int, expected: list[int | None]) -> None:
    async def scene(arriving: ArrivingBodies) -> None:
        first = await begin(arriving, "a", size=size)
        assert await end([*first, *await begin(arriving, "a", size=size)]) == expected

    played(scene)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 250)), max_size=30))
def test_no_limit_is_ever_passed_and_all_is_given_back(arrivals: list[tuple[str, int]]) -> None:
    async def scene(arriving: ArrivingBodies) -> None:
        tasks = [asyncio.create_task(hold(arriving, client, size)) for client, size in arrivals]
        for _ in range(4):
            await asyncio.sleep(0)
            together = vars(arriving)["_all"]
            assert len(arriving) <= 8
            assert together.size == sum(body.size for body in together.bodies) <= 1000
            for theirs in vars(arriving)["_by_client"].values():
                assert len(theirs.bodies) <= 2
                assert theirs.size <= 250
        await end(tasks)

    played(scene)


# Who the client is.


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.9", [], "192.0.2.9"),
        ("192.0.2.9", ["198.51.100.1"], "192.0.2.9"),  # not a proxy that is trusted
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),  # the first was made up
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["\xff, ,"], "10.0.0.1"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::/64"),
        ("::ffff:10.0.0.1", ["2001:db8:0:0:1::7"], "2001:db8::/64"),
        ("2001:db8::1", ["1.1.1.1"], "2001:db8::/64"),
        ("::ffff:192.0.2.9", [], "192.0.2.9"),
    ],
)
def test_only_a_trusted_proxy_says_who_the_client_is(peer: str, forwarded: list[str], client: str) -> None:
    seen: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(client_of(scope))

    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    scope = {"type": "http", "client": (peer, 1), "headers": headers}
    unused: Any = None
    asyncio.run(ForwardedClients(application, [ip_network("10.0.0.0/8")])(scope, unused, unused))
    assert seen == [client]


def test_a_proxy_s_clients_have_limits_of_their_own(tmp_path: Path) -> None:
    options: dict[str, Any] = {"max_arriving": 4, "timeout": timedelta(seconds=HANG_S)}
    with served(tmp_path, trusted_proxies=["127.0.0.1"], **options) as api, ExitStack() as stack:
        first, second = (stack.enter_context(connected(api.port)) for _ in range(2))
        for proxied, origin in ((first, "192.0.2.1"), (second, "192.0.2.2")):
            proxied.sendall(HEAD[:-2] + f"X-Forwarded-For: {origin}\r\n\r\nx".encode())
        while not select.select([first], [], [], 0.02)[0]:
            assert api.ask("POST", "/predict", picture(), {"X-Forwarded-For": "192.0.2.1"})[0] == 200
        assert read_answer(first)[0] == 408, "it made room for another one of its client"
        wait_until(lambda: len(api.access) == sum(api.requests("/predict").values()))
        assert {entry["client"] for entry in api.access} == {"192.0.2.1"}
        assert api.requests("/predict")["408"] == 1
