"""The access log: lines of JSON in their order, and nobody who waits for their reader."""

import json
import threading
import time

import pytest

from facemon.server import access_log
from facemon.server.access_log import AccessLog
from facemon.terminal.console import Console
from tests.patience import HANG_S


def test_all_entries_are_written_in_their_order_before_it_ends() -> None:
    written: list[str] = []
    with AccessLog(written.append) as log:
        for number in range(500):
            log.add({"request": str(number)})
    lines = [json.loads(line) for text in written for line in text.split("\n")]
    assert [line["request"] for line in lines] == [str(number) for number in range(500)]
    assert all(line["at"].endswith("Z") for line in lines)


def test_each_entry_is_a_line_on_stderr_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    path = '/a\n\x1b[2J\u2028"}, {"at": "x", "path": }, {"at": '
    with AccessLog(Console().say) as log:
        for number in range(50):
            log.add({"request": str(number), "path": path})
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["request"], line["path"]) for line in lines] == [(str(n), path) for n in range(50)]


def test_a_reader_that_blocks_holds_up_nobody_and_hears_what_was_left_out() -> None:
    go_on, written = threading.Event(), list[str]()

    def write(text: str) -> None:
        go_on.wait(HANG_S)
        written.append(text)

    with AccessLog(write) as log:
        log.add({"request": "first"})
        while log._entries:  # until it blocks
            time.sleep(0.01)
        for number in range(access_log._MOST_WAITING + 25):
            log.add({"request": str(number)})
        assert written == [], "it came back while the reader blocked"
        go_on.set()
    lines = [json.loads(line) for text in written for line in text.split("\n")]
    assert len(lines) == 1 + access_log._MOST_WAITING + 1
    assert lines[-1]["left_out"] == 25


def test_it_ends_although_its_reader_never_goes_on() -> None:
    never, read = threading.Event(), list[str]()

    def write(text: str) -> None:
        never.wait()
        read.append(text)

    with AccessLog(write) as log:
        log.add({"request": "one"})
    assert read == []
    never.set()
