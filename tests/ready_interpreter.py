"""An interpreter that has loaded what most commands load, and forks itself for each run of the command.

It is started by `tests/ready_command.py`. A run is a process of its own, with the streams and the folder that it was
given, and begins at `facemon.cli.main.main` as the installed command does; what few runs need (pandas, Evidently, dlib)
it loads itself. An interpreter that is told to has loaded Evidently too.
"""

import atexit
import functools
import gc
import json
import os
import pkgutil
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

LEFT_TO_EACH_RUN = ("pandas", "evidently", "dlib", "cv2", "rich")
IS_LOADED = b"loaded"
MESSAGE_BYTES = 2**17
"""More than any command line of the tests."""
_THREADS = "OPENBLAS_NUM_THREADS"


def load(further: Sequence[str]) -> None:
    """Load the rooms, with numpy as the command has it, and further modules; nothing is run yet."""
    import typer

    import facemon

    with one_thread():
        for room in sorted(path.parent.name for path in Path(facemon.__path__[0]).glob("*/__init__.py")):
            for module in pkgutil.walk_packages([f"{facemon.__path__[0]}/{room}"], f"facemon.{room}."):
                import_module(module.name)
        # The command is built of the same functions in each run.
        typer.main.get_command = functools.cache(typer.main.get_command)
        import_module("tests.every_command").every_command()
        too_much = set(LEFT_TO_EACH_RUN) & sys.modules.keys()
        assert not too_much, f"a run must load these itself: {too_much}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in further:
                import_module(name)
    freeze()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let numpy be loaded with one thread, as the command has it: a fork would lack the others."""
    is_set = _THREADS in os.environ
    os.environ.setdefault(_THREADS, "1")
    yield
    if not is_set:
        del os.environ[_THREADS]


def freeze() -> None:
    """Get ready to be forked, with all that is loaded."""
    assert len(_threads()) == 1, f"a fork would lack the threads of a library: {_threads()}"
    gc.collect()
    gc.freeze()


def follow(connection: socket.socket) -> None:
    """Return once in each run, ready to be the command; exit when the tests have gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection.send(IS_LOADED)
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, MESSAGE_BYTES, 4)
        if not message:
            sys.exit()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if os.fork() == 0:
            connection.close()
            *streams, status = descriptors
            _be_forked(streams, status)
            request = json.loads(message)
            sys.argv = request["arguments"]
            os.chdir(request["folder"])
            _change_environment(request["changes"])
            return
        for descriptor in descriptors:
            os.close(descriptor)


def _threads() -> list[str]:
    """The names of this process' threads, without that of Arrow's allocator, which begins anew in a fork."""
    names = [task.joinpath("comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
    return [name for name in names if name != "jemalloc_bg_thd"]


def _change_environment(changes: Mapping[str, str | None]) -> None:
    for name, value in changes.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _be_forked(streams: list[int], status: int) -> None:
    """Return in a new process that has the streams; its parent, this one, tells how it ends."""
    if process := os.fork():
        for descriptor in streams:
            os.close(descriptor)
        os.write(status, f"{process}\n".encode())
        _, ended = os.waitpid(process, 0)
        os.write(status, f"{os.waitstatus_to_exitcode(ended)}\n".encode())
        os._exit(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.close(status)
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)


def end_at_once(code: object) -> NoReturn:
    """End as `sys.exit` does, without taking each object apart: in a fork that costs more than most commands do."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        raise SystemExit(code) from None
    if not isinstance(code, int):
        raise SystemExit(code)
    os._exit(code)


if __name__ == "__main__":
    # Where the installed command lies, as it has it.
    sys.path[0] = str(Path(sys.executable).parent)
    _, connection, *modules = sys.argv
    load(modules)
    follow(socket.socket(fileno=int(connection)))
    from facemon.cli.main import main

    try:
        main()
    except SystemExit as end:
        end_at_once(end.code)
