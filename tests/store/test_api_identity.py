"""Who an API is in a store: one process at a time, and counters that are neither lost, doubled nor reset."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.config.quantities import Listen
from facemon.errors import ExitCode, LockedError
from facemon.store.api_identity import default_instance, hold_identity
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.process_lock import ProcessLock
from facemon.store.request_totals import EVERY_INSTANCE
from facemon.store.totals import TotalKey
from tests.patience import HANG_S

HERE, ELSEWHERE = Listen("0.0.0.0", 8000), Listen("0.0.0.0", 8001)  # noqa: S104 - nothing listens there
OK = TotalKey("api_requests_total", ("/predict", "POST", "success", "200"), "")
SECONDS = TotalKey("api_request_latency_seconds", ("/predict", "POST"), "sum")


def count(ledger: Ledger, instance: str, requests: float) -> None:
    with ledger.writing():
        ledger.requests.add(instance, {OK: requests, SECONDS: requests / 4})


def shown(ledger: Ledger, instance: str) -> float:
    """What a server with this name exports."""
    return ledger.requests.read(instance).get(OK, 0.0)


def test_the_default_tells_containers_and_addresses_apart() -> None:
    assert default_instance(HERE) == f"{socket.gethostname()} 0.0.0.0:8000"
    assert default_instance(HERE) != default_instance(ELSEWHERE)


def test_a_second_holder_is_refused_with_the_way_out(ledger: Ledger) -> None:
    with hold_identity(ledger, "faces 0.0.0.0:8000", HERE), hold_identity(ledger, "faces 0.0.0.0:8001", ELSEWHERE):
        with pytest.raises(LockedError) as refused:
            hold_identity(ledger, "faces 0.0.0.0:8000", HERE)
        assert f"(process {os.getpid()} on {socket.gethostname()})" in refused.value.message
        assert "--instance" in (refused.value.hint or "")
        assert refused.value.exit_code is ExitCode.LOCKED
    hold_identity(ledger, "faces 0.0.0.0:8000", HERE).release()


def test_names_that_look_alike_do_not_share_a_lock(ledger: Ledger) -> None:
    names = ["a b", "a-b", "a/b", "../a", "ä", "ö", "a" * 200, "a" * 199]
    locks = [hold_identity(ledger, name, HERE) for name in names]
    assert len({lock.path for lock in locks}) == len(names)
    assert {lock.path.parent for lock in locks} == {ledger.folder / "locks"}
    for lock in locks:
        lock.release()


HOLD = """
import sys, time
from pathlib import Path
from facemon.config.quantities import parse_listen
from facemon.store.api_identity import hold_identity
from facemon.store.ledger.opening import open_ledger
with open_ledger(Path(sys.argv[1])) as ledger:
    lock = hold_identity(ledger, "api-1", parse_listen("0.0.0.0:8000"))
print("held", flush=True)
time.sleep(3600)
"""


def test_the_name_of_a_killed_holder_is_free_and_its_counters_go_on(ledger: Ledger) -> None:
    count(ledger, "api-1", 5)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, ledger.folder], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"process {holder.pid} on "):
            hold_identity(ledger, "api-1", HERE)
        holder.send_signal(signal.SIGKILL)
        holder.wait(HANG_S)
        with hold_identity(ledger, "api-1", HERE):
            assert shown(ledger, "api-1") == 5
    finally:
        holder.kill()
        holder.communicate()


@pytest.mark.parametrize("instance", [default_instance(HERE), "api-1"])
def test_an_upgrade_neither_loses_nor_resets_the_counters_of_the_address(ledger: Ledger, instance: str) -> None:
    """Earlier versions counted under the address alone."""
    count(ledger, "0.0.0.0:8000", 10)
    count(ledger, "127.0.0.1:8000", 3)
    before = ledger.requests.read("0.0.0.0:8000")
    for _ in range(2):
        with hold_identity(ledger, instance, HERE):
            assert ledger.requests.read(instance) == before
    assert set(ledger.requests.instances()) == {"127.0.0.1:8000", instance}
    assert shown(ledger, EVERY_INSTANCE) == 13


def test_of_two_that_shared_an_address_one_goes_on_and_the_other_begins(ledger: Ledger) -> None:
    """Together they show each request once, where earlier versions showed all of them twice."""
    count(ledger, "0.0.0.0:8000", 13)
    with hold_identity(ledger, "a 0.0.0.0:8000", HERE), hold_identity(ledger, "b 0.0.0.0:8000", HERE):
        assert [shown(ledger, f"{host} 0.0.0.0:8000") for host in "ab"] == [13, 0]


def test_a_container_with_a_new_host_name_goes_on_where_it_is_clear_whose_counters_they_are(ledger: Ledger) -> None:
    count(ledger, "3f2a 0.0.0.0:8000", 5)
    count(ledger, "3f2a 0.0.0.0:8001", 1)
    with hold_identity(ledger, "77b0 0.0.0.0:8000", HERE):
        assert shown(ledger, "77b0 0.0.0.0:8000") == 5
    count(ledger, "c001 0.0.0.0:8000", 2)
    with hold_identity(ledger, "9e1d 0.0.0.0:8000", HERE):
        assert shown(ledger, "9e1d 0.0.0.0:8000") == 0, "of two that ended it might be either"
    assert shown(ledger, EVERY_INSTANCE) == 8


EVENTS = st.lists(st.tuples(st.sampled_from(["start", "stop", "count"]), st.sampled_from("abc")), max_size=25)


@given(st.integers(0, 3), EVENTS)
def test_whatever_starts_and_ends_each_request_is_counted_once(before: int, events: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder, open_ledger(Path(folder, "store"), create=True) as ledger:
        running: dict[str, ProcessLock] = {}
        values: dict[str, float] = {}
        total = float(before)
        if before:
            count(ledger, str(HERE), before)
        for event, host in events:
            name = f"{host} {HERE}"
            if event == "start" and host not in running:
                known = name in ledger.requests.instances()
                running[host] = hold_identity(ledger, name, HERE)
                if known:
                    assert shown(ledger, name) >= values.get(host, 0), "no counter of a name falls while it is known"
            elif event == "stop" and host in running:
                running.pop(host).release()
            elif event == "count" and host in running:
                count(ledger, name, 1)
                total += 1
            values |= {each: shown(ledger, f"{each} {HERE}") for each in running}
            assert shown(ledger, EVERY_INSTANCE) == total
            assert sum(shown(ledger, f"{each} {HERE}") for each in running) <= total
        for lock in running.values():
            lock.release()
