"""What is not a regular file is refused at once, wherever facemon reads one."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facemon.errors import FacemonError
from facemon.metrics.doubled_series import refuse_doubled
from facemon.regular_file import open_regular, read_regular, require_regular
from facemon.server.bearer_tokens import BearerTokens
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon

NEVER_ENDS = Path("/dev/zero")


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A named pipe without a writer: opening it in the usual way waits for ever."""
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    return path


@pytest.fixture
def open_socket(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        yield path


@pytest.mark.parametrize("read", [open_regular, require_regular, lambda path: read_regular(path, 100)])
def test_only_regular_files_are_opened(
    read: Callable[[Path], object], pipe: Path, open_socket: Path, tmp_path: Path
) -> None:
    for path, what in ((pipe, "a named pipe"), (NEVER_ENDS, "a device")):
        with pytest.raises(OSError, match=f"is {what}, not a regular file"):
            read(path)
    with pytest.raises(OSError, match=r"is a socket, not a regular file|No such device or address"):
        read(open_socket)
    with pytest.raises(IsADirectoryError):
        read(tmp_path)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none")


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"x" * 100)
    assert read_regular(file, 100) == b"x" * 100
    with pytest.raises(OSError, match="is larger than 99 bytes"):
        read_regular(file, 99)
    os.truncate(file, 1 << 40)  # a hole of a terabyte
    with pytest.raises(OSError, match="is larger than"):
        read_regular(file, 1 << 30)
    # The system tells no size of it.
    with pytest.raises(OSError, match="is larger than 10 bytes"):
        read_regular(Path("/proc/self/maps"), 10)


def test_a_descriptor_that_a_shell_opened_may_be_a_pipe() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"secret\n")
    os.close(writing)
    try:
        with pytest.raises(OSError, match="is a named pipe"):
            read_regular(Path(f"/dev/fd/{reading}"), 100)
        assert read_regular(Path(f"/dev/fd/{reading}"), 100, or_descriptor=True) == b"secret\n"
    finally:
        os.close(reading)


def test_no_descriptor_is_lost(pipe: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with pytest.raises(OSError, match="pipe"):
            open_regular(pipe)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_textfiles_and_tokens_that_are_pipes(pipe: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "other.prom")
    refuse_doubled(tmp_path / "own.prom", "drift_score 1\n")
    with pytest.raises(FacemonError, match="not a regular file"):
        BearerTokens(pipe, print)


NETWORK = "networks: [{path: %s, input: {name: input, size: [4, 4]}, attributes: [{name: b, output: a, kind: number}]}]"


@pytest.mark.slow
@pytest.mark.parametrize("special", ["pipe.csv", "/dev/zero"])
def test_no_command_waits_for_a_file(facemon: RunFacemon, pipe: Path, tmp_path: Path, special: str) -> None:
    """Each option and key that names a file, with a pipe or an endless device in its place."""
    write_small_model(tmp_path)
    (tmp_path / "net.yaml").write_text(f"model: {{name: a, version: '1', {NETWORK % special}}}\n")
    (tmp_path / "ok.csv").write_text("a\n1\n")
    push = ["export-metrics", "--pushgateway", "https://127.0.0.1:1"]
    facemon("predict", "-", "-q", cwd=tmp_path, stdin="none.jpg\n")
    for arguments in (
        ["-c", special, "model", "show"],
        ["-c", "net.yaml", "model", "show"],
        ["init", "--model", special, "-o", "new.yaml"],
        ["drift-check", "--reference", special, "--current", "ok.csv"],
        ["reference", "set", special],
        ["evaluate", special],
        [*push, "--user", "u", "--password-file", special],
        [*push, "--token-file", special],
        [*push, "--ca-file", special],
    ):
        answer = facemon(*arguments, cwd=tmp_path)
        assert answer.returncode in (1, 2), (arguments, answer)
        assert "not a regular file" in answer.stderr, (arguments, answer.stderr)
    images = facemon("predict", special, "--no-store", cwd=tmp_path)
    assert images.returncode == 1


@pytest.mark.slow
def test_a_configuration_and_a_password_come_through_a_shell_s_pipe(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("facemon")
    script = f"""
    {command} -c <(echo 'model: {{bundle: none}}') model show
    {command} export-metrics --pushgateway http://127.0.0.1:1 --user u --password-file <(echo secret)
    """
    answer = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "must be a built-in bundle" in answer.stderr
    assert "there is no store" in answer.stderr or "no such" in answer.stderr.lower()
