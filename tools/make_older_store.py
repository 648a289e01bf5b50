"""Make a small store with the code of an older commit, for the tests of upgrades: COMMIT OUT.

OUT gets VERSION-COMMIT.tar.xz, the working folder after some days of that facemon, and VERSION-COMMIT.json, what
that code says of its store. The code is checked out in a temporary worktree and run by this Python.
"""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
FACTS = ROOT / "tests" / "store" / "store_facts.py"
FOLDER = Path("/tmp/facemon-older-store")  # noqa: S108 - runs keep the names of their inputs, and this one is on every machine
COMMAND = "import sys; from facemon.cli.main import main; sys.argv[0] = 'facemon'; sys.exit(main())"

CONFIG = """\
version: 1
model:
  name: small
  version: "{version}"
  networks:
    - path: m.onnx
      input: {{name: input, size: [4, 4]}}
      attributes: [{{name: {attribute}, output: hair, kind: categorical, labels: [a, b], activation: softmax}}]
drift:
  min_rows: 20
  cluster: none
"""
LOG_ROWS = """
from datetime import UTC, datetime, timedelta
from facemon.monitor.monitor import Monitor
noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
Monitor("facemon.yaml").log(
    {"image": f"cam/{n:04}.jpg", "hair": "ab"[n % 3 == 0], "hair_confidence": 0.6 + n % 7 / 20,
     "source": ("north", "south", None)[n % 3], "observed_at": noon + timedelta(seconds=n)} for n in range(1100)
)
"""
PRUNE = """
from datetime import UTC, datetime
from pathlib import Path
try:
    from facemon.store.ledger.opening import open_ledger
except ImportError:
    from facemon.store.ledger import Ledger
    open_ledger = Ledger.open
from facemon.store.retention import prune
prune(open_ledger(Path(".facemon")), datetime(2100, 1, 1, tzinfo=UTC))
"""
LEAVE_A_RUN = """
import os
from datetime import UTC, datetime
from pathlib import Path
try:
    from facemon.store.ledger.opening import open_ledger
except ImportError:
    from facemon.store.ledger import Ledger
    open_ledger = Ledger.open
from facemon.store.runs import RunIdentity, begin_run
begin_run(open_ledger(Path(".facemon")), RunIdentity(("left",), "small@1", "f" * 64, None), datetime.now(UTC))
os._exit(0)
"""


class OlderFacemon:
    """The code of a commit, run in a folder."""

    def __init__(self, code: Path, folder: Path) -> None:
        self.code = code
        self.folder = folder
        self._environment = {**os.environ, "PYTHONPATH": str(code), "DO_NOT_TRACK": "1"}

    def has(self, module: str) -> bool:
        """Whether that commit has a module."""
        return (self.code / "facemon" / f"{module}.py").exists()

    def python(self, *arguments: str) -> str:
        """Run Python with that code; answer what it printed."""
        return self._run([sys.executable, *arguments], (0,))

    def run(self, *arguments: str, codes: Iterable[int] = (0,)) -> str:
        """Run its command; answer what it printed."""
        return self._run([sys.executable, "-c", COMMAND, *arguments], codes)

    def serve(self, *arguments: str) -> subprocess.Popen[str]:
        """Start its API."""
        command = [sys.executable, "-c", COMMAND, "serve", "--listen", "127.0.0.1:0", *arguments]
        return subprocess.Popen(command, cwd=self.folder, env=self._environment, stderr=subprocess.PIPE, text=True)

    def _run(self, command: list[str], codes: Iterable[int]) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode not in codes:
            raise SystemExit(f"{command[-6:]}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout


def main(commit: str, out: Path) -> None:
    """Make the store of a commit and keep it below `out`."""
    with tempfile.TemporaryDirectory(prefix="facemon-code-") as temporary:
        code = Path(temporary, "code")
        subprocess.run(["git", "worktree", "add", "-q", "--detach", str(code), commit], cwd=ROOT, check=True)
        try:
            FOLDER.mkdir()
            facemon = OlderFacemon(code, FOLDER)
            write_inputs(FOLDER)
            use(facemon)
            exported = facemon.run("export-metrics", "-o", "-")
            found = json.loads(facemon.python(str(FACTS), ".facemon"))
            keep(out, commit, found | {"exported": exported})
        finally:
            shutil.rmtree(FOLDER, ignore_errors=True)
            subprocess.run(["git", "worktree", "remove", "--force", str(code)], cwd=ROOT, check=True)


def write_inputs(folder: Path) -> None:
    """Images of one colour, from which the small model reads `a` or `b`, and tables."""
    sys.path.insert(0, str(ROOT))
    from tests.model.onnx_files import write_reducing_model

    write_reducing_model(folder / "m.onnx", {"hair": [[9, 0], [0, 9], [0, 0]]})
    for name, version, attribute in (("facemon.yaml", "1", "hair"), ("second.yaml", "2", "hat")):
        (folder / name).write_text(CONFIG.format(version=version, attribute=attribute))
    chance = random.Random(15)  # noqa: S311 - no secret
    for day, share in (("monday", 0.3), ("tuesday", 0.8), ("wednesday", 0.8)):
        (folder / day).mkdir()
        for number in range(30):
            red, green = sorted((chance.randrange(60), chance.randrange(120, 255)), reverse=chance.random() < share)
            Image.new("RGB", (8, 8), (red, green, 9)).save(folder / day / f"{number:02}.png")
    (folder / "broken").mkdir()
    shutil.copy(folder / "monday/00.png", folder / "broken/good.png")
    (folder / "broken/bad.png").write_bytes(b"no image")
    # Of two hours and sources, because version 2 kept evaluations by both.
    lines = [f"{day}/{number:02}.png,{'ab'[number % 2]}" for day in ("monday", "tuesday") for number in range(30)]
    (folder / "labels.csv").write_text("\n".join(["image,hair", *lines, ""]))
    (folder / "table.jsonl").write_text("".join(f'{{"hair": "{"ab"[n % 2]}", "size": {n}}}\n' for n in range(60)))


def use(facemon: OlderFacemon) -> None:
    """The commands of a few days of use."""
    log(facemon)
    facemon.run("reference", "set", "table.jsonl", "--name", "table", "--kind", "labels", "--note", "by hand")
    window = ("--since", "2026-11-20T00:00:00Z", "--until", "2026-11-21T00:00:00Z")
    facemon.run("reference", "set", *window, "--name", "window")
    check(facemon)
    if facemon.has("cli/evaluate"):
        facemon.run("evaluate", "labels.csv", "--model", "small@1")
    if facemon.has("cli/serve"):
        ask_the_api(facemon)
    facemon.python("-c", LEAVE_A_RUN)


def check(facemon: OlderFacemon) -> None:
    """Two checks that are entered in the ledger."""
    window = ["--since", "2026-11-22T00:00:00Z", "--until", "2026-11-23T00:00:00Z"]
    question = ["drift-check", "--reference", "window", *window]
    with (facemon.folder / "facemon.yaml").open("a") as config:
        if "on_drift" in (facemon.code / "facemon/config/drift.py").read_text():
            config.write("  on_drift: ['true']\n")
        if facemon.has("drift/check_of_record"):
            # Only what asks the configuration's own question is entered.
            config.write("  window: 60d\n  reference: window\n")
            question = ["drift-check"]
    for kind in ("data", "model"):
        facemon.run(*question, "--check", kind, codes=(0, 3, 4))


def log(facemon: OlderFacemon) -> None:
    """Rows of three days, sources and two models; in files and in the ledger; retried, and gone."""
    facemon.run("-q", "predict", "monday", "--source", "north", "--observed-at", "2024-01-01T00:30:00Z")
    facemon.run("store", "prune", "--days", "365")
    tables = facemon.code / "facemon/store/ledger.py"
    if not tables.exists() or "last_predicted" in tables.read_text():
        # Rows are kept from when they were predicted, which was just now.
        facemon.python("-c", PRUNE)
    for day, source, time_ in (
        ("monday", "north", "2026-11-20T10:10:00Z"), ("monday", "south", "2026-11-20T11:40:00Z"),
        ("tuesday", "north", "2026-11-22T09:05:00Z"),
    ):  # fmt: skip
        facemon.run("-q", "predict", day, "--source", source, "--observed-at", time_)
    facemon.run("-q", "predict", "-c", "second.yaml", "monday", "--observed-at", "2026-11-20T10:20:00Z")
    facemon.run("store", "compact")
    facemon.run("-q", "predict", "wednesday", "--observed-at", "2026-11-22T10:30:00Z")
    facemon.run("-q", "predict", "broken", "--observed-at", "2026-11-22T10:40:00Z", codes=(1,))
    if facemon.has("cli/retry_run"):
        shutil.copy(facemon.folder / "monday/01.png", facemon.folder / "broken/bad.png")
        facemon.run("-q", "predict", "broken", "--observed-at", "2026-11-22T10:40:00Z", "--retry-failed")
    if facemon.has("monitor/monitor"):
        facemon.python("-c", LOG_ROWS)


def ask_the_api(facemon: OlderFacemon) -> None:
    """A few predictions through the API, and one refused."""
    process = facemon.serve()
    try:
        said = (process.stderr or sys.stdin).readline()
        url = f"http://127.0.0.1:{said.rstrip().rpartition(':')[2]}/predict"
        for content in [path.read_bytes() for path in sorted((facemon.folder / "monday").iterdir())[:12]] + [
            b"no image"
        ]:
            with suppress(urllib.error.HTTPError), urllib.request.urlopen(urllib.request.Request(url, content)):
                pass
        time.sleep(2)  # the log is written once a second
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    if process.stderr:
        process.stderr.close()


def keep(out: Path, commit: str, found: dict[str, object]) -> None:
    """Pack the folder and write the facts."""
    ledger = FOLDER / ".facemon/ledger.sqlite"
    with closing(sqlite3.connect(ledger)) as connection:
        # Whatever is in the write-ahead log goes to the file, as when the last process ends.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    name = f"version-{version}-{commit[:7]}"
    for left in (*FOLDER.glob(".facemon/reports/*"), *FOLDER.glob(".facemon/locks/*")):
        left.unlink()

    def anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(out / f"{name}.tar.xz", "w:xz", preset=9) as archive:
        for path in sorted(FOLDER.iterdir()):
            archive.add(path, path.name, filter=anonymous)
    (out / f"{name}.json").write_text(json.dumps({"version": version} | found, indent=1, sort_keys=True) + "\n")
    print(name, ledger.stat().st_size, (out / f"{name}.tar.xz").stat().st_size)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).resolve())
