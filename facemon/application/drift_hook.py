"""`drift.on_drift`: a command of the user's own, run once for each new drift."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.operation import Operation
from facemon.blas_threads import environment_of_others
from facemon.domain.drift_result import DriftResult, to_document

if TYPE_CHECKING:
    from facemon.store.ledger.protocol import Ledger


def run_hook(operation: Operation, ledger: "Ledger", result: DriftResult) -> None:
    """Run the configured command where columns drifted that it was not told of, with the result's JSON on stdin.

    It runs in the configuration's folder, and its output goes to stderr. Where it fails or takes too long, that is
    said and the next check tells it again.
    """
    from facemon.store.announced_drift import announce, unannounced

    command = operation.config.drift.on_drift
    if not command or not (new := unannounced(ledger, result)):
        return
    timeout = operation.config.drift.on_drift_timeout.total_seconds()
    document = json.dumps(to_document(result.in_short(telling=True)), ensure_ascii=False)
    if failure := _failure(command, document, timeout, operation.config.directory):
        operation.reporter.warn(f"drift.on_drift: {command[0]} {failure}; the next check runs it again")
        return
    announce(ledger, new)


def _failure(command: tuple[str, ...], document: str, timeout_s: float, folder: Path) -> str | None:
    """What went wrong, if anything did."""
    try:
        # A session of its own, so that all it started can be ended with it.
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment_of_others(),
            stdin=subprocess.PIPE,
            stdout=sys.stderr.fileno(),
            text=True,
            start_new_session=True,
        )
    except OSError as error:
        return f"cannot be run: {error.strerror}"
    try:
        process.communicate(document + "\n", timeout=timeout_s)
    except subprocess.TimeoutExpired:
        return f"took longer than {timeout_s:g} s and was ended"
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode < 0:
        return f"was ended by signal {-process.returncode}"
    return f"ended with exit code {process.returncode}" if process.returncode else None
