"""An interpreter that has loaded what most commands load, and forks itself for each run of the command.

It is started by `tests/ready_command.py`. A run is a process of its own, with the streams and the folder that it was
given, and begins at `facemon.cli.main.main` as the installed command does; what is slow to load (pandas, Evidently,
onnxruntime, dlib) it loads itself.
"""

import gc
import json
import os
import pkgutil
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

READY = ("cli", "config", "drift", "evaluation", "metrics", "render", "reports", "store", "tables", "values")
"""The rooms of the package that are loaded once."""
LEFT_TO_EACH_RUN = ("pandas", "evidently", "onnxruntime", "dlib", "cv2", "rich")
IS_LOADED = b"loaded"
MESSAGE_BYTES = 2**17
"""More than any command line of the tests."""
_THREADS = "OPENBLAS_NUM_THREADS"


def load() -> None:
    """Load the rooms, with numpy as the command has it; nothing is run yet."""
    import facemon

    is_set = _THREADS in os.environ
    os.environ.setdefault(_THREADS, "1")
    for room in READY:
        for module in pkgutil.walk_packages([f"{facemon.__path__[0]}/{room}"], f"facemon.{room}."):
            import_module(module.name)
    if not is_set:
        del os.environ[_THREADS]
    too_much = set(LEFT_TO_EACH_RUN) & sys.modules.keys()
    assert not too_much, f"a run must load these itself: {too_much}"
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
            return
        for descriptor in descriptors:
            os.close(descriptor)


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


if __name__ == "__main__":
    # Where the installed command lies, as it has it.
    sys.path[0] = str(Path(sys.executable).parent)
    load()
    follow(socket.socket(fileno=int(sys.argv[1])))
    from facemon.cli.main import main

    sys.exit(main())
