"""Run as a program in a network namespace of its own: runs commands there, and prints where they tried to connect to.

    unshare --net --mount python -m tests.acceptance.isolated_network PLAN

PLAN is a file with a `Plan` as JSON; what is printed is a `Reached`. Every address leads to this namespace, and the
only name server is here, so that attempts to connect and to look up names are seen, whatever comes of them.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.patience import HANG_S, wait_until
from tests.ready_command import ready_command

_NAME_SERVER, _ANSWER = "10.53.53.53", "10.9.9.9"
_EVERY_PROTOCOL, _IPV4, _IPV6 = 3, 0x0800, 0x86DD
_TCP, _UDP = 6, 17
_SYN = 2
_ETHERNET_BYTES, _IPV6_BYTES = 14, 40


@dataclass(frozen=True, slots=True)
class Plan:
    """Command lines that are run one after the other in a folder, and one that serves until it is asked to end."""

    folder: str
    commands: list[list[str]]
    environment: dict[str, str]
    lines: list[list[str]] = field(default_factory=list)
    """Command lines of facemon that are run first, each as a fork of one interpreter that has loaded it."""
    serve: list[str] = field(default_factory=list)
    port: int = 0
    images: list[str] = field(default_factory=list)
    serve_s: float = 0.0
    """How long images are sent to what `serve` runs, at least."""


@dataclass(slots=True)
class Reached:
    """What was seen outside of 127.0.0.0/8 and ::1, and how the commands ended."""

    addresses: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    answered: int = 0


def main(plan: Plan, folder: Path) -> Reached:
    """Run a plan, watched from its first command to its last."""
    for line in (
        "ip link set lo up",
        "ip route add local 0.0.0.0/0 dev lo",
        "ip -6 route add local ::/0 dev lo",
        f"mount --bind {folder / 'resolv.conf'} /etc/resolv.conf",
    ):
        # A system without IPv6 has no such routes.
        subprocess.run(line.split(), check="-6" not in line, stderr=subprocess.DEVNULL)
    reached = Reached()
    watching = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_EVERY_PROTOCOL))
    watching.bind(("lo", 0))
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind((_NAME_SERVER, 53))
    for work, connection in ((_watch, watching), (_resolve, names)):
        threading.Thread(target=work, args=(connection, reached), daemon=True).start()
    if plan.lines:
        with ready_command(plan.environment) as ready:
            for arguments in plan.lines:
                ended = ready.run(arguments, cwd=Path(plan.folder), changes={}, stdin="", timeout_s=HANG_S)
                reached.codes.append(ended.returncode)
    for command in plan.commands:
        started = subprocess.run(command, cwd=plan.folder, env=plan.environment, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)  # fmt: skip
        reached.codes.append(started.returncode)
    if plan.serve:
        _serve(plan, reached)
    return reached


def _serve(plan: Plan, reached: Reached) -> None:
    with subprocess.Popen(plan.serve, cwd=plan.folder, env=plan.environment, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{plan.port}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def is_ready() -> bool:
            with suppress(OSError), opener.open(f"{url}/ready", timeout=1) as answer:
                return bool(answer.status == 200)
            return False

        try:
            wait_until(is_ready, "an answer of the server")
            end = time.monotonic() + plan.serve_s
            while time.monotonic() < end:
                for image in plan.images:
                    # Another hash each time, so that no answer is remembered.
                    body = Path(image).read_bytes() + os.urandom(8)
                    with opener.open(urllib.request.Request(f"{url}/predict", body)) as answer:
                        reached.answered += answer.status == 200
                # What is sent by itself comes with time, not with the number of images.
                time.sleep(1)
        finally:
            process.send_signal(signal.SIGTERM)
    reached.codes.append(process.returncode)


def _watch(connection: socket.socket, reached: Reached) -> None:
    """Note where packets go that leave 127.0.0.0/8 and ::1."""
    while True:
        frame = connection.recv(2**16)
        kind, packet = int.from_bytes(frame[12:14]), frame[_ETHERNET_BYTES:]
        if kind == _IPV4:
            target, protocol = socket.inet_ntop(socket.AF_INET, packet[16:20]), packet[9]
            segment = packet[4 * (packet[0] & 15) :]
        elif kind == _IPV6:
            target, protocol, segment = (
                socket.inet_ntop(socket.AF_INET6, packet[24:40]),
                packet[6],
                packet[_IPV6_BYTES:],
            )
        else:
            continue
        if protocol not in (_TCP, _UDP) or target.startswith("127.") or target == "::1":
            continue
        port = int.from_bytes(segment[2:4])
        is_new = protocol == _UDP or segment[13] & 0x3F == _SYN
        if is_new and target != _NAME_SERVER and f"{target}:{port}" not in reached.addresses:
            reached.addresses.append(f"{target}:{port}")


def _resolve(connection: socket.socket, reached: Reached) -> None:
    """Give every name one address, so that what asks for it goes on to connect."""
    while True:
        query, client = connection.recvfrom(2**12)
        end = query.index(b"\0", 12) + 5
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii", "replace"))
            at += query[at] + 1
        if (name := ".".join(labels)) not in reached.names:
            reached.names.append(name)
        has_answer = query[end - 4 : end - 2] == b"\0\1"  # an A record
        head = query[:2] + b"\x81\x80\0\1" + (b"\0\1" if has_answer else b"\0\0") + bytes(4)
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(_ANSWER)
        connection.sendto(head + query[12:end] + (record if has_answer else b""), client)


if __name__ == "__main__":
    place = Path(sys.argv[1]).parent
    (place / "resolv.conf").write_text(f"nameserver {_NAME_SERVER}\n")
    print(json.dumps(asdict(main(Plan(**json.loads(Path(sys.argv[1]).read_text())), place))))
