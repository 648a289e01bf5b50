"""Messages to a copy of this process and back: of any size, in a loop or not, and an end that is noticed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from facemon.forked_process import ForkedProcess, ProcessEnded
from tests.patience import wait_until

LARGE = b"x" * 3_000_000


def echo(message: Any) -> Any:
    match message:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "fail":
            raise ValueError("as asked")
        case "who":
            return os.getpid()
    return message


@contextmanager
def running() -> Iterator[ForkedProcess]:
    process = ForkedProcess(lambda: nullcontext(echo))
    yield process
    process.end()
    process.join()


def test_messages_of_any_size_go_and_come_back() -> None:
    with running() as process:
        for message in (None, "", LARGE, {"a": (1, 2)}):
            assert process.ask(message) == message
        assert process.ask("who") != os.getpid()


def test_they_do_so_within_an_event_loop_which_goes_on() -> None:
    async def ask() -> None:
        assert [await process.answer(message) for message in ("", LARGE, 5)] == ["", LARGE, 5]
        large, meanwhile = await asyncio.gather(process.answer(LARGE), asyncio.sleep(0, "meanwhile"))
        assert (large, meanwhile) == (LARGE, "meanwhile")

    with running() as process:
        asyncio.run(ask())


def test_what_answering_raises_is_raised_here_and_the_next_is_answered() -> None:
    with running() as process:
        with pytest.raises(ValueError, match="as asked"):
            process.ask("fail")
        assert process.ask(1) == 1


def test_what_its_beginning_raises_answers_the_first_message() -> None:
    @contextmanager
    def work() -> Iterator[Any]:
        raise ValueError("no place to work")
        yield

    process = ForkedProcess(work)
    with pytest.raises(ValueError, match="no place to work"):
        process.ask(None)
    with pytest.raises(ProcessEnded):
        process.ask(None)
    process.end()
    process.join()


def test_its_end_by_force_is_noticed() -> None:
    async def ask(process: ForkedProcess) -> None:
        for message in ("die", "anything"):
            with pytest.raises(ProcessEnded):
                await process.answer(message)

    with running() as process:
        for message in ("die", "anything"):
            with pytest.raises(ProcessEnded):
                process.ask(message)
    with running() as process:
        asyncio.run(ask(process))


def test_it_ignores_interruptions_and_ends_with_the_one_that_forked_it() -> None:
    program = """
import os, signal
from tests.test_forked_process import running
with running() as process:
    child = process.ask("who")
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(child, number)
    print(process.ask("who"), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    outcome = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False)
    child = Path("/proc") / outcome.stdout.strip()
    wait_until(lambda: not child.exists() or child.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "Z")
