"""Damage and other users as an operator meets them: commands go on, a repair ends it, and nothing unknown is ok."""

import json
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from facemon import Monitor
from tests.acceptance.tables import CONFIGURATION
from tests.conftest import RunFacemon
from tests.model.onnx_files import write_reducing_model
from tests.patience import HANG_S
from tests.recent_hours import HOUR, hours_of_one_date
from tests.store.children import without_privileges
from tests.store.damage import flip_bytes
from tests.store.test_permissions import give, modes, owners

COMMAND = Path(sys.executable).with_name("facemon")
CONFIG = CONFIGURATION.replace("[64, 64]", "[4, 4]")
CHECK = "drift: {cluster: none, widen_to: 24h, evidently: {when: never}}\n"


def log(folder: Path, *, begin: datetime, seed: int, rows: int = 3_000) -> None:
    """Half an hour of predictions without drift."""
    random = np.random.default_rng(seed)
    times = [begin + timedelta(seconds=index % 1_800) for index in range(rows)]
    columns = {
        "image": [f"{seed}-{index}.jpg" for index in range(rows)],
        "observed_at": pa.array(times, pa.timestamp("us", "UTC")),
        "beard": np.where(random.random(rows) < 0.3, "yes", "no"),
    }
    with chdir(folder), Monitor("facemon.yaml") as monitor:
        monitor.log(pa.table(columns))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, facemon: RunFacemon) -> Path:
    """A reference of five days ago and two files of the last hours."""
    tmp_path = tmp_path_factory.mktemp("made")
    (tmp_path / "facemon.yaml").write_text(CONFIG + CHECK)
    begin = hours_of_one_date(ago=timedelta(days=5))
    log(tmp_path, begin=begin, seed=1)
    window = ("--since", begin.isoformat(), "--until", (begin + HOUR).isoformat())
    assert facemon("-q", "reference", "set", *window, cwd=tmp_path).returncode == 0
    begin = hours_of_one_date(ago=timedelta(hours=5))
    for seed in (9, 5):
        log(tmp_path, begin=begin, seed=seed)
    (tmp_path / "models").mkdir()
    write_reducing_model(tmp_path / "models" / "attributes.onnx", {"beard": [[1], [1], [1]]})
    (tmp_path / "labels.csv").write_text("filename,beard_binary\n5-1.jpg,1\n9-1.jpg,1\n")
    return tmp_path


@pytest.fixture
def logged(made: Path, tmp_path: Path) -> Path:
    """A copy of `made`, for one test."""
    return shutil.copytree(made, tmp_path / "copy")


def newest_file(folder: Path) -> Path:
    return max((folder / ".facemon" / "segments").rglob("*.parquet"), key=lambda path: path.stat().st_mtime)


def test_commands_go_on_until_a_repair_ends_it(facemon: RunFacemon, logged: Path) -> None:
    assert facemon("drift-check", cwd=logged).returncode == 0
    hurt = newest_file(logged)
    whole = hurt.read_bytes()
    flip_bytes(hurt)
    said = facemon("store", "verify", cwd=logged)
    assert said.returncode == 3
    assert f"{hurt.relative_to(logged)} is not the file that was written" in said.stdout
    assert "facemon store repair" in said.stderr
    for command in (("store", "compact"), ("evaluate", "labels.csv")):
        outcome = facemon(*command, cwd=logged)
        assert outcome.returncode == 1, outcome.stderr
        assert "1 damaged segment was left out" in outcome.stderr
        assert "  hint: facemon store repair" in outcome.stderr
        assert hurt.name in outcome.stderr
    # What the ledger counted when the rows were written is known still.
    assert facemon("drift-check", cwd=logged).returncode == 0
    told = facemon("store", "repair", cwd=logged)
    assert told.returncode == 3
    assert f"{hurt.name} (3000 rows of face-attributes@2026-11, observed " in told.stdout
    assert "--drop-damaged" in told.stderr
    dropped = facemon("store", "repair", "--drop-damaged", cwd=logged)
    assert (dropped.returncode, dropped.stdout) == (0, "ok: facemon store verify finds no problem\n")
    assert "3000 rows lost" in dropped.stderr
    for command in (("store", "verify"), ("store", "compact"), ("store", "prune")):
        assert facemon(*command, cwd=logged).returncode == 0
    check = facemon("drift-check", "--format", "json", cwd=logged)
    assert check.returncode == 4
    document = json.loads(check.stdout)
    assert document["verdict"] == "undecided"
    assert any("Up to 3,000 rows of this window were damaged" in note for note in document["notes"])
    hurt.write_bytes(whole)
    assert "took in again" in facemon("store", "repair", cwd=logged).stderr
    assert facemon("drift-check", cwd=logged).returncode == 0


WRITERS = [
    ("predict", "bad.jpg"), ("evaluate", "labels.csv"), ("drift-check",), ("reference", "set", "--since", "1d"),
    ("export-metrics",), ("store", "compact"), ("store", "prune"), ("store", "repair"),
]  # fmt: skip
READERS = [
    ("store", "info"),
    ("store", "verify"),
    ("metrics",),
    ("reference", "list"),
    ("log",),
    ("drift-check", "--since", "1h"),
]


def test_root_writes_to_no_other_users_store(facemon: RunFacemon, logged: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a store away")
    store, nobody = logged / ".facemon", pwd.getpwnam("nobody")
    (logged / "bad.jpg").write_text("not an image")
    give(store, nobody.pw_uid, nobody.pw_gid)
    before = modes(store)
    for command in WRITERS:
        outcome = facemon(*command, cwd=logged)
        assert outcome.returncode == 1, command
        assert "belongs to nobody: root does not write to it\n  hint: run it as that user: sudo -u nobody facemon" in (
            outcome.stderr
        ), command
        assert modes(store) == before, command
    for command in READERS:
        outcome = facemon(*command, cwd=logged)
        assert "belongs to" not in outcome.stderr, command
        assert owners(store) == {nobody.pw_uid}, command
    assert facemon("store", "compact", "--as-root", cwd=logged).returncode == 0
    assert facemon("--as-root", "drift-check", cwd=logged).returncode == 0
    assert owners(store) == {nobody.pw_uid}


def test_a_user_who_may_not_even_look_is_told_whose_store_it_is(logged: Path) -> None:
    wrapper = without_privileges()
    if os.geteuid() != 0:
        pytest.skip("only root can give a store away")
    nobody = pwd.getpwnam("nobody")
    give(logged / ".facemon", nobody.pw_uid, nobody.pw_gid)
    for command in (("store", "info"), ("metrics",), ("drift-check",), ("store", "recover", "--no-backup")):
        outcome = subprocess.run(
            [*wrapper, COMMAND, *command], cwd=logged, capture_output=True, text=True, check=False, timeout=HANG_S
        )
        assert outcome.returncode == 1, command
        assert "belongs to nobody, and root may not write to it" in outcome.stderr, command
        assert "sudo -u nobody facemon" in outcome.stderr, command


@pytest.mark.parametrize("mode", ["private", "group"])
def test_store_mode_and_how_an_older_store_gets_it(facemon: RunFacemon, logged: Path, mode: str) -> None:
    store = logged / ".facemon"
    for path in [store, *store.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    (logged / "facemon.yaml").write_text(f"{CONFIG}{CHECK}store: {{mode: {mode}}}\n")
    info = facemon("store", "info", cwd=logged)
    assert "mode               0644\n" in info.stdout
    assert f"not {mode} (store.mode): facemon store repair changes them" in info.stderr
    assert "changed the permissions of" in facemon("store", "repair", cwd=logged).stderr
    assert len(set(modes(store).values())) == 2
    facts = json.loads(facemon("store", "info", "--json", cwd=logged).stdout)
    assert facts["mode"].split()[0] == mode
    assert facts["user"] == pwd.getpwuid(os.geteuid()).pw_name


def test_a_killed_run_leaves_no_lock_behind(facemon: RunFacemon, logged: Path) -> None:
    locks = logged / ".facemon" / "locks"
    for run in range(5):
        (locks / f"killed-{run}.lock").write_text("4194304\n")
    assert facemon("store", "compact", cwd=logged).returncode == 0
    assert list(locks.iterdir()) == []


def test_a_damaged_ledger_from_the_first_message_to_a_whole_store(facemon: RunFacemon, logged: Path) -> None:
    assert facemon("store", "backup", "saved.tar.gz", cwd=logged).returncode == 0
    log(logged, begin=hours_of_one_date(ago=timedelta(hours=3)), seed=3)
    (logged / "bad.jpg").write_text("not an image")
    ledger = logged / ".facemon" / "ledger.sqlite"
    content = bytearray(ledger.read_bytes())
    content[4096 : 4096 * 9] = b"\xa5" * 4096 * 8
    ledger.write_bytes(content)
    for command in (*WRITERS, *READERS):
        outcome = facemon(*command, cwd=logged)
        if command == ("reference", "list"):
            continue  # which may need no damaged page
        assert outcome.returncode in (1, 3), command
        said = outcome.stderr + outcome.stdout
        assert "unexpectedly" not in said, command
        assert "is damaged" in said, command
        assert "facemon store recover BACKUP" in said, command
    done = facemon("store", "recover", "saved.tar.gz", cwd=logged)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "9000 rows of the backup, 3000 newer ones in files" in done.stderr
    assert "12000 rows" in facemon("store", "verify", cwd=logged).stdout
    assert facemon("drift-check", cwd=logged).returncode == 0
    again = facemon("store", "recover", "saved.tar.gz", cwd=logged)
    assert (again.returncode, "is not damaged" in again.stderr) == (2, True)


def lose_ledger(path: Path) -> None:
    for each in path.parent.glob("ledger.sqlite*"):
        each.unlink()


def damage_a_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:8192] = np.random.default_rng(1).bytes(4096)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lose_ledger, "lost its ledger"),
        (damage_a_page, "is damaged"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"nothing of the kind" * 400), "is damaged"),
    ],
)
def test_verify_finds_a_damaged_ledger_and_its_hint_works(
    facemon: RunFacemon, logged: Path, damage: Callable[[Path], object], said: str
) -> None:
    facemon("store", "compact", cwd=logged)
    damage(logged / ".facemon" / "ledger.sqlite")
    verified = facemon("store", "verify", cwd=logged)
    assert verified.returncode == 3
    assert said in verified.stdout
    assert "facemon store recover --no-backup" in verified.stderr
    assert facemon("store", "compact", cwd=logged).returncode == 1
    recovered = facemon("store", "recover", "--no-backup", cwd=logged)
    assert recovered.returncode == 0, recovered.stdout + recovered.stderr
    assert "are lost" in recovered.stderr
    assert "None" not in recovered.stderr
    assert facemon("store", "verify", cwd=logged).stdout.startswith("ok: 9000 rows")


def test_a_reference_without_its_file_is_not_ok(facemon: RunFacemon, logged: Path) -> None:
    (file,) = (logged / ".facemon" / "references").iterdir()
    whole = file.read_bytes()
    file.unlink()
    with chdir(logged), Monitor("facemon.yaml") as monitor:
        (name,) = (each.name for each in monitor.references())
    for command in ("verify", "repair"):
        said = facemon("store", command, cwd=logged)
        assert said.returncode == 3
        assert f"{file.name} of the reference {name} is missing" in said.stdout
        assert f"hint: facemon reference rm {name} --force" in said.stderr
        assert "store recover" not in said.stderr
        assert "segments that it would drop" not in said.stderr
    flip_bytes(newest_file(logged))
    repaired = facemon("store", "repair", cwd=logged)
    assert f"the reference {name} is missing" in repaired.stdout
    assert "--drop-damaged" in repaired.stderr
    assert facemon("store", "repair", "--drop-damaged", cwd=logged).returncode == 3
    file.write_bytes(whole)
    assert facemon("store", "verify", cwd=logged).returncode == 0
