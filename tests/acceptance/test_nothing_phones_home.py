"""Commands open only the connections that the user configured, and leave no foreign files in the user's folders."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.camera import take_pictures
from tests.acceptance.served import COMMAND
from tests.patience import wait_until

pytestmark = pytest.mark.slow

ADDRESS = re.compile(
    r'sa_family=AF_(INET6?|UNIX)[^}]*?(?:inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"|sun_path="([^"]+)")'
)
SENDS_WITHIN_S = 12
"""Telemetry of onnxruntime was sent after eight seconds."""

if shutil.which("strace") is None:
    pytest.skip("strace is not installed", allow_module_level=True)


def traced(folder: Path, *arguments: str) -> list[str]:
    """The command line that writes every network call of facemon and its children to `trace`."""
    return [
        "strace",
        "-f",
        "-qq",
        "-e",
        "trace=connect,sendto,sendmsg",
        "-o",
        str(folder / "trace"),
        str(COMMAND),
        *arguments,
    ]


def reached(folder: Path) -> set[str]:
    """The addresses beyond this machine, and the sockets of name services, that were connected to."""
    found = set()
    for line in (folder / "trace").read_text(errors="replace").splitlines():
        for _, ipv4, ipv6, path in ADDRESS.findall(line):
            address = ipv4 or ipv6 or path
            if not (address.startswith("127.") or address == "::1"):
                found.add(address)
    return found


def home(folder: Path) -> dict[str, str]:
    (folder / "home").mkdir()
    unset = ("ORT_DISABLE_TELEMETRY", "DO_NOT_TRACK")
    kept = {name: value for name, value in os.environ.items() if name not in unset and not name.startswith("XDG_")}
    return kept | {"HOME": str(folder / "home")}


def left_at_home(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder / "home")) for path in (folder / "home").rglob("*") if path.is_file())


def test_predict_and_drift_check_stay_at_home(tmp_path: Path) -> None:
    take_pictures(tmp_path / "pictures", images=4)
    environment = home(tmp_path)
    for arguments in (
        ("predict", "-q", "pictures"),
        ("reference", "set", "-q", "--since", "24h"),
        ("drift-check", "-q", "--check", "evidently", "--since", "1h", "--exit-zero"),
    ):
        subprocess.run(traced(tmp_path, *arguments), cwd=tmp_path, env=environment, check=arguments[0] != "drift-check")
        assert reached(tmp_path) == set(), arguments
    assert [name for name in left_at_home(tmp_path) if "facemon" not in name] == []


def test_serve_stays_at_home(tmp_path: Path) -> None:
    environment = home(tmp_path)
    process = subprocess.Popen(
        traced(tmp_path, "serve", "--listen", "127.0.0.1:0"), cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        wait_until((tmp_path / ".facemon").exists, "the store")
        time.sleep(SENDS_WITHIN_S)
    finally:
        os.kill(int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]), signal.SIGTERM)
        process.wait()
    assert reached(tmp_path) == set()
    assert [name for name in left_at_home(tmp_path) if "facemon" not in name] == []


@pytest.mark.parametrize("module", ["facemon", "facemon.model.sessions", "facemon.cli.main"])
def test_whatever_is_imported_first(module: str) -> None:
    code = f"import {module}, os; print(os.environ['ORT_DISABLE_TELEMETRY'], os.environ['DO_NOT_TRACK'])"
    unset = {name: value for name, value in os.environ.items() if name not in ("ORT_DISABLE_TELEMETRY", "DO_NOT_TRACK")}
    said = subprocess.run([sys.executable, "-c", code], env=unset, capture_output=True, text=True, check=True)
    assert said.stdout == "1 1\n"
