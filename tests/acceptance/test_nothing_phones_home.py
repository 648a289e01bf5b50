"""Commands open only the connections that the user configured, and leave no foreign files in the user's folders."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.acceptance.isolated_network import Plan, Reached
from tests.acceptance.served import COMMAND
from tests.acceptance.test_each_command import LINES, TABLES, prepare_folder
from tests.every_command import single_commands

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SENDS_WITHIN_S = 15.0
"""Telemetry of onnxruntime was sent after eight seconds."""
SERVERS = {("serve",), ("serve-metrics",)}
"""Commands that do not end by themselves; serve-metrics does what export-metrics does, and answers."""
LOG = "file:///LOG"
"""In place of the address of a shared log in the test's folder."""
CENTRE = "centre.yaml"
"""With another store, because one that delivers does not collect."""
FURTHER: Sequence[tuple[str, ...]] = (
    ("predict", "images.parquet", "--shard", "1/1", "--deliver", LOG),
    ("predict", "images", "--observed-at", "2026-03-01"),
    ("store", "deliver", LOG, "--node", "box"),
    ("store", "collect", LOG, "--clean", "-c", CENTRE),
    ("drift-check", "--check", "evidently", *TABLES, "--html"),
    ("render-config", "--verify", "--force"),
    ("doctor",),
    ("reference", "rm", "a", "--force"),
    ("config", "check"),
    ("config", "schema"),
    ("config", "show", "--origin"),
    ("store", "compact"),
    ("store", "prune"),
    ("store", "repair"),
)
ADDRESS = re.compile(
    r'sa_family=AF_(INET6?|UNIX)[^}]*?(?:inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"|sun_path="([^"]+)")'
)


def isolating() -> list[str]:
    """What runs a program in a network of its own; empty where this system has no such thing."""
    for options in ("--net", "--mount"), ("--map-root-user", "--net", "--mount"):
        command = ["unshare", *options]
        works = [*command, "sh", "-c", "ip link set lo up && mount --bind /etc/hosts /etc/hosts"]
        if shutil.which("unshare") and shutil.which("ip") and subprocess.run(works, check=False).returncode == 0:
            return command
    return []


ISOLATING = isolating()


def environment(folder: Path) -> dict[str, str]:
    (folder / "home").mkdir(exist_ok=True)
    unset = ("ORT_DISABLE_TELEMETRY", "DO_NOT_TRACK")
    kept = {name: value for name, value in os.environ.items() if name not in unset and not name.startswith("XDG_")}
    return kept | {"HOME": str(folder / "home")}


def left_at_home(folder: Path) -> list[str]:
    """What commands leave in the user's own folder."""
    return sorted(str(path.relative_to(folder / "home")) for path in (folder / "home").rglob("*") if path.is_file())


def run_isolated(folder: Path, plan: Plan) -> Reached:
    """Run a plan in a network of its own."""
    (folder / "plan.json").write_text(json.dumps(asdict(plan)))
    program = [sys.executable, "-m", "tests.acceptance.isolated_network", str(folder / "plan.json")]
    ran = subprocess.run([*ISOLATING, *program], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return Reached(**json.loads(ran.stdout))


def run_traced(folder: Path, plan: Plan) -> Reached:
    """The same by the system calls of each command, where there are no namespaces; names are looked up by sockets."""
    trace = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(folder / "trace")]
    reached = Reached()
    for command in plan.commands:
        done = subprocess.run([*trace, *command], cwd=plan.folder, env=plan.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, check=False)  # fmt: skip
        reached.codes.append(done.returncode)
        for line in (folder / "trace").read_text(errors="replace").splitlines():
            for _, ipv4, ipv6, path in ADDRESS.findall(line):
                address = ipv4 or ipv6 or path
                if not (address.startswith("127.") or address == "::1"):
                    reached.addresses.append(address)
    return reached


def test_no_command_is_forgotten() -> None:
    commands = {words for words, _ in single_commands()}
    assert ("reference", "set") in commands
    lines = (*LINES, *FURTHER)
    assert {command for command in commands if not any(line[: len(command)] == command for line in lines)} == SERVERS


@pytest.mark.long_proof
@pytest.mark.skipif(not ISOLATING and shutil.which("strace") is None, reason="neither namespaces nor strace")
def test_every_command_stays_at_home(tmp_path: Path, at_length: bool) -> None:
    """Forked from one interpreter that is watched from its start on, too; at length each is started anew."""
    site = tmp_path / "site"
    prepare_folder(site)
    (site / CENTRE).write_text((site / "facemon.yaml").read_text() + "store: {path: centre}\n")
    own = environment(tmp_path)
    log = (tmp_path / "log").as_uri()
    lines = [[str(COMMAND), *(log if word == LOG else word for word in line)] for line in (*LINES, *FURTHER)]
    if ISOLATING:
        plan = Plan(str(site), lines, own) if at_length else Plan(str(site), [], own, lines=lines)
        reached = run_isolated(tmp_path, plan)
    else:
        reached = run_traced(tmp_path, Plan(str(site), lines, own))
    assert (reached.addresses, reached.names) == ([], [])
    assert reached.codes.count(0) > len(LINES) // 2
    assert [name for name in left_at_home(tmp_path) if "facemon" not in name] == []


@pytest.mark.skipif(not ISOLATING, reason="no network namespaces")
def test_serve_under_load_stays_at_home(tmp_path: Path) -> None:
    site = tmp_path / "site"
    prepare_folder(site)
    port = 8000
    plan = Plan(
        str(site), [], environment(tmp_path),
        serve=[str(COMMAND), "serve", "--listen", f"127.0.0.1:{port}"], port=port,
        images=[str(path) for path in sorted((site / "images").iterdir())], serve_s=SENDS_WITHIN_S,
    )  # fmt: skip
    reached = run_isolated(tmp_path, plan)
    assert (reached.addresses, reached.names, reached.codes) == ([], [], [0])
    assert reached.answered > len(plan.images)
    assert [name for name in left_at_home(tmp_path) if "facemon" not in name] == []


@pytest.mark.skipif(not ISOLATING, reason="no network namespaces")
def test_what_is_configured_is_reached_and_would_be_seen(tmp_path: Path) -> None:
    site = tmp_path / "site"
    prepare_folder(site)
    looks_up = "import socket; socket.create_connection(('telemetry.example', 443))"
    commands: list[list[str]] = [
        [str(COMMAND), "predict", "images", "-q"],
        [str(COMMAND), "export-metrics", "--pushgateway", "http://10.1.2.3:9091", "--job", "facemon"],
        [sys.executable, "-c", looks_up],
    ]
    reached = run_isolated(tmp_path, Plan(str(site), commands, environment(tmp_path)))
    assert reached.names == ["telemetry.example"]
    assert reached.addresses == ["10.1.2.3:9091", "10.9.9.9:443"]


@pytest.mark.skipif(not ISOLATING, reason="no network namespaces")
def test_objects_come_from_the_storage_of_their_address_alone(tmp_path: Path) -> None:
    site = tmp_path / "site"
    prepare_folder(site)
    program = [sys.executable, "-m", "tests.object_storage.predict_from_origin"]
    reached = run_isolated(tmp_path, Plan(str(site), [program], environment(tmp_path) | {"PYTHONPATH": str(ROOT)}))
    assert (reached.addresses, reached.names, reached.codes) == ([], [], [0])


@pytest.mark.parametrize("module", ["facemon", "facemon.model.sessions", "facemon.cli.main"])
def test_whatever_is_imported_first(module: str) -> None:
    code = f"import {module}, os; print(os.environ['ORT_DISABLE_TELEMETRY'], os.environ['DO_NOT_TRACK'])"
    unset: Mapping[str, str] = {
        name: value for name, value in os.environ.items() if name not in ("ORT_DISABLE_TELEMETRY", "DO_NOT_TRACK")
    }
    said = subprocess.run([sys.executable, "-c", code], env=unset, capture_output=True, text=True, check=True)
    assert said.stdout == "1 1\n"
