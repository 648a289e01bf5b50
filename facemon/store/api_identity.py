"""Who an API is among those that share a store: one process at a time, whose request counters go on over restarts."""

import hashlib
import re
import socket

from facemon.config.quantities import Listen
from facemon.errors import LockedError
from facemon.store.ledger.protocol import Ledger
from facemon.store.process_lock import ProcessLock, holder_of, writer_lock_path

_PATIENCE_SECONDS = 1.0
"""For a moment another API may have the lock, to look whether its holder lives."""
_LONGEST_SLUG = 80


def default_instance(listen: Listen) -> str:
    """The host name and the address: containers often share the address, and a machine has several addresses."""
    return f"{socket.gethostname()} {listen}"


def hold_identity(ledger: Ledger, instance: str, listen: Listen) -> ProcessLock:
    """Hold the name of an instance until the lock is released; LockedError if another process holds it.

    The system releases it when the process ends, also for other containers that share the file system.

    An instance that has counted nothing yet takes over the counters of the one before it: those under the same address
    whose holder has ended, if there is exactly one such. So counters go on after an upgrade from versions that knew the
    address alone, and where a container gets a new host name. They are renamed, which neither loses nor doubles any.
    """
    lock = _held(ledger, instance)
    if instance not in (names := ledger.requests.instances()):
        _take_over(ledger, [name for name in names if _is_at(name, listen)], instance)
    return lock


def _held(ledger: Ledger, instance: str) -> ProcessLock:
    path = writer_lock_path(ledger.folder, _lock_name(instance))
    try:
        # A process id alone says little across containers, which have ids of their own.
        return ProcessLock.waiting(path, _PATIENCE_SECONDS, host=socket.gethostname())
    except LockedError as error:
        raise LockedError(
            f"another facemon serve counts as {instance!r} in {ledger.folder} (process {holder_of(path)})",
            "give each API that shares a store a name of its own: --instance NAME, or api.instance",
        ) from error


def _take_over(ledger: Ledger, names: list[str], instance: str) -> None:
    """Rename the counters of the only one of some instances that nothing holds."""
    locks = {name: ProcessLock.try_acquire(writer_lock_path(ledger.folder, _lock_name(name))) for name in names}
    try:
        ended = [name for name, lock in locks.items() if lock is not None]
        if len(ended) == 1:
            with ledger.writing():
                ledger.requests.rename(ended[0], instance)
    finally:
        for lock in locks.values():
            if lock is not None:
                lock.release()


def _is_at(instance: str, listen: Listen) -> bool:
    """Whether an instance has this address; earlier versions knew it by the address alone."""
    return instance == str(listen) or instance.endswith(f" {listen}")


def _lock_name(instance: str) -> str:
    """The name of the lock file: readable, and another one for each instance."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", instance)[:_LONGEST_SLUG]
    return f"serve-{slug}-{hashlib.sha256(instance.encode()).hexdigest()[:8]}"
