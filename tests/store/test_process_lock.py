import os
from pathlib import Path

import pytest

from facemon.errors import LockedError
from facemon.store.process_lock import ProcessLock, holder_of, writer_lock_path
from tests.store import children


def test_a_lock_excludes_everyone_until_it_is_released(tmp_path: Path) -> None:
    path = tmp_path / "one.lock"
    lock = ProcessLock.try_acquire(path)
    assert lock is not None
    assert ProcessLock.try_acquire(path) is None
    assert holder_of(path) == str(os.getpid())
    lock.release()
    assert not path.exists()
    with ProcessLock.waiting(path):
        assert path.exists()
    assert holder_of(path) == "unknown"


def test_a_lock_goes_with_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "one.lock"
    script = """
    from facemon.store.process_lock import ProcessLock
    lock = ProcessLock.try_acquire(folder)
    print("held", flush=True)
    time.sleep(86_400)
    """
    child = children.start(script, path)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    assert ProcessLock.try_acquire(path) is None
    assert holder_of(path) == str(child.pid)
    child.kill()
    child.communicate()
    with ProcessLock.waiting(path, 5):
        assert holder_of(path) == str(os.getpid())


def test_who_waits_in_vain_is_told_by_whom(tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    with (
        ProcessLock.for_command(tmp_path, "compact"),
        pytest.raises(LockedError, match=rf"another facemon compact is running .*process {os.getpid()}"),
    ):
        ProcessLock.for_command(tmp_path, "compact")


def test_a_command_outwaits_a_recovery_that_has_its_lock(tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    script = """
    from facemon.store.process_lock import ProcessLock
    with ProcessLock.try_acquire(folder):
        print("held", flush=True)
        time.sleep(0.3)
    """
    child = children.start(script, writer_lock_path(tmp_path, "compact"))
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    ProcessLock.for_command(tmp_path, "compact").release()
    children.finish(child)


@pytest.mark.slow
def test_never_two_holders(tmp_path: Path) -> None:
    """Four processes take and release one lock 500 times each; the file that it guards counts all of them."""
    script = """
    from facemon.store.process_lock import ProcessLock
    counter = folder.with_name("counter")
    for _ in range(500):
        with ProcessLock.waiting(folder, 60):
            counter.write_text(str(int(counter.read_text()) + 1))
    """
    (tmp_path / "counter").write_text("0")
    for child in [children.start(script, tmp_path / "one.lock") for _ in range(4)]:
        children.finish(child)
    assert (tmp_path / "counter").read_text() == "2000"
