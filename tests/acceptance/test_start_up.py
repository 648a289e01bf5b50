"""Nothing heavy is loaded for what needs nothing heavy."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import RunFacemon

HEAVY = ("numpy", "pandas", "pyarrow", "onnxruntime", "evidently", "PIL", "scipy", "dlib", "obstore")
FOR_MANY_MACHINES = {
    "facemon.application.collected_deliveries", "facemon.application.delivered_shard",
    "facemon.application.delivered_store", "facemon.application.frozen_manifest",
    "facemon.application.scheduled_shards",
}  # fmt: skip
FOR_OLDER_STORES = {
    f"facemon.store.ledger.{name}" for name in ("upgrade", "migrations", "drift_attribution", "total_attribution")
}
PROBE = """
import sys
from facemon.cli.main import run
code = run(sys.argv[1:])
print(code, *sorted(sys.modules), file=sys.stderr)
"""

MAIN_PROBE = """
import atexit, sys
from facemon.cli.main import main
atexit.register(lambda: print(*sorted({name.split(".")[0] for name in sys.modules}), file=sys.stderr))
main()
"""


@pytest.fixture(scope="module")
def folder(facemon: RunFacemon, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store."""
    folder = tmp_path_factory.mktemp("store")
    assert facemon("predict", "-q", "--max-failures", "1", "-", cwd=folder, stdin="nothing.jpg\n").returncode == 0
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["predict", "--help"],
        ["drift-check", "--help"],
        ["store", "info"],
        ["export-metrics"],
        ["export-metrics", "--textfile", "OPEN/facemon.prom"],
        ["metrics"],
        ["metrics", "drift_score", "--format", "json"],
        ["render-config", "--only", "prometheus"],
        ["render-config"],
        ["explain", "DriftDetected"],
        ["explain", "drift_score", "--format", "json"],
        ["no-such-command"],
    ],
)
def test_loads_nothing_heavy(folder: Path, open_folder: Path, arguments: list[str]) -> None:
    arguments = [argument.replace("OPEN", str(open_folder)) for argument in arguments]
    probe = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    code, *modules = probe.stderr.splitlines()[-1].split()
    assert code == ("2" if arguments == ["no-such-command"] else "0"), probe.stderr
    assert not set(HEAVY) & {name.split(".")[0] for name in modules}
    assert not FOR_OLDER_STORES & set(modules)


@pytest.mark.parametrize("arguments", [["--help"], ["predict", "--help"], ["store", "info"]])
def test_users_of_one_machine_load_nothing_for_many(folder: Path, arguments: list[str]) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    # OpenSSL makes the digests of manifests, and takes as long to load as ten modules.
    needless = FOR_MANY_MACHINES | ({"_hashlib"} if arguments == ["--help"] else set())
    assert needless.isdisjoint(answer.stderr.split())


def test_modules_for_many_machines_are_there() -> None:
    """A module that was renamed would never be loaded."""
    assert all(find_spec(name) for name in FOR_MANY_MACHINES)


def test_modules_for_older_stores_are_there() -> None:
    assert all(find_spec(name) for name in FOR_OLDER_STORES)


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "a.png"],
        ["reference", "set", "--since", "1h"],
        ["drift-check", "--check", "data", "--reference", "rows.csv", "--current", "rows.csv"],
        ["evaluate", "rows.csv"],
    ],
)
def test_pyarrow_does_not_bring_pandas(folder: Path, arguments: list[str]) -> None:
    Image.new("RGB", (40, 40)).save(folder / "a.png")
    (folder / "rows.csv").write_text("image,gender,width\n" + "a.png,male,3\nb.png,female,4\n" * 200)
    probe = subprocess.run(
        [sys.executable, "-c", MAIN_PROBE, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    modules = probe.stderr.splitlines()[-1].split()
    assert "pyarrow" in modules, probe.stderr
    assert "pandas" not in modules
    assert "obstore" not in modules
    assert "unexpectedly" not in probe.stderr


def test_the_tests_of_drift_load_no_more_of_numpy_than_they_use(folder: Path) -> None:
    program = (
        "import facemon.drift.power, scipy.special, sys\n"
        "print('numpy.f2py' in sys.modules, facemon.drift.power.ndtri is scipy.special.ndtri)\n"
        "import numpy, scipy.stats\n"
        "print(numpy.f2py.__name__, 'ma' in dir(numpy), 'f2py' in numpy.__all__, scipy.stats.norm.cdf(0))"
    )
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert outcome.stdout.splitlines() == ["False True", "numpy.f2py True True 0.5"]
