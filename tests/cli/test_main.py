"""The one boundary where errors become exit codes, and the command in odd surroundings."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facemon import __version__
from facemon.cli import store
from facemon.cli.command import command
from facemon.cli.main import run
from facemon.cli.session import Session
from facemon.errors import (
    ConfigError,
    ExitCode,
    FacemonError,
    Interrupted,
    LockedError,
    OutputClosed,
    UsageError,
)  # fmt: skip
from facemon.store.ledger.opening import open_ledger
from tests.conftest import RunFacemon
from tests.store.log_rows import log_images

pytestmark = pytest.mark.slow

COMMAND = Path(sys.executable).with_name("facemon")
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def failing() -> Iterator[Callable[[BaseException], None]]:
    """Adds a command `store fail` that raises what it is told to; it is gone after the test."""
    registered = list(store.store.registered_commands)

    def add(error: BaseException) -> None:
        @command(store.store, "fail")
        def fail(session: Session) -> ExitCode:
            raise error

    yield add
    store.store.registered_commands[:] = registered


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a store."""
    with open_ledger(tmp_path / ".facemon", create=True) as ledger:
        log_images(ledger, 20)
    return tmp_path


def shell(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which $F is the command."""
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"], cwd=folder, capture_output=True, encoding="utf-8", check=False,
        env={**os.environ, "F": str(COMMAND), "HOME": str(folder), **environment},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "code"),
    [(FacemonError, 1), (UsageError, 2), (ConfigError, 2), (LockedError, 75), (Interrupted, 130)],
)
def test_an_error_of_ours_has_its_code(
    capsys: Captured, failing: Callable[[BaseException], None], kind: type[FacemonError], code: int
) -> None:
    failing(kind("it is so", "do this"))
    assert run(["store", "fail"]) == code
    assert capsys.readouterr() == ("", "error: it is so\n  hint: do this\n")


def test_an_error_of_nobodys_is_1(capsys: Captured, failing: Callable[[BaseException], None]) -> None:
    failing(ZeroDivisionError("division by zero"))
    assert run(["store", "fail"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: facemon failed unexpectedly: ZeroDivisionError: division by zero\n")
    assert "--debug" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("line", ["--debug store fail", "store fail --debug", "store --debug fail", "variable"])
@pytest.mark.parametrize("error", [ZeroDivisionError("odd"), FacemonError("odd")])
def test_debug_shows_where(
    capsys: Captured, failing: Callable[[BaseException], None], monkeypatch: pytest.MonkeyPatch,
    line: str, error: Exception,
) -> None:  # fmt: skip
    failing(error)
    if line == "variable":
        monkeypatch.setenv("FACEMON_DEBUG", "1")
    run(["store", "fail"] if line == "variable" else line.split())
    said = capsys.readouterr().err
    assert "Traceback (most recent call last):" in said
    assert "in fail" in said


def test_a_reader_that_has_left_is_130_and_no_news(folder: Path) -> None:
    for line in ("store info", "export-metrics", "--help", "store --help", "--version"):
        outcome = shell(f"$F {line} | true", folder)
        assert (outcome.returncode, outcome.stderr) == (130, ""), line


def test_output_closed_is_silent(failing: Callable[[BaseException], None], folder: Path) -> None:
    failing(OutputClosed("gone"))
    script = "import sys; from facemon.cli.main import run; sys.exit(run(['store', 'info']))"
    outcome = shell(f'{sys.executable} -c "{script}" | true', folder)
    assert (outcome.returncode, outcome.stderr) == (130, "")


@pytest.mark.parametrize("line", ["", "store", "reference"])
def test_a_group_alone_prints_its_help(facemon: RunFacemon, tmp_path: Path, line: str) -> None:
    outcome = facemon(*line.split(), cwd=tmp_path)
    assert (outcome.returncode, outcome.stderr) == (2, "")
    assert f"Usage: {' '.join(['facemon', *line.split()])} [OPTIONS] COMMAND" in outcome.stdout


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ("predikt x.jpg", "No such command 'predikt'.", "facemon --help"),
        ("store inof", "No such command 'inof'.", "facemon store --help"),
        ("store info --nope", "No such option: --nope", "facemon store info --help"),
        ("store info more", "Got unexpected extra argument", "facemon store info --help"),
        ("--color pink store info", "'--color'", "facemon --help"),
        ("drift-check --check all --since", "--since", "facemon drift-check --help"),
    ],
)
def test_common_mistakes(facemon: RunFacemon, tmp_path: Path, line: str, said: str, hint: str) -> None:
    outcome = facemon(*line.split(), cwd=tmp_path)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    error, *_, last = outcome.stderr.splitlines()
    assert error.startswith("error: ")
    assert said in error
    assert last == f"  hint: run {hint}"


@pytest.mark.parametrize(
    "name",
    [
        "FACEMON_HELP", "FACEMON_STORE_HELP", "FACEMON_STORE_INFO_HELP", "FACEMON_VERSION", "FACEMON__VERSION",
        "FACEMON_INSTALL_COMPLETION", "FACEMON_SHOW_COMPLETION",
    ],
)  # fmt: skip
def test_no_variable_turns_a_command_into_another(facemon: RunFacemon, folder: Path, name: str) -> None:
    for value in ("1", "1.2.3", "true"):
        outcome = facemon("store", "info", "--json", cwd=folder, env={name: value, "HOME": str(folder)})
        assert (outcome.returncode, outcome.stderr) == (0, "")
        assert json.loads(outcome.stdout)["rows"] == 22
    assert [path.name for path in folder.iterdir()] == [".facemon"]


def test_variables_of_flags(facemon: RunFacemon, folder: Path) -> None:
    quiet = facemon("store", "compact", cwd=folder, env={"FACEMON_QUIET": "1"})
    assert (quiet.returncode, quiet.stderr) == (0, "")
    elsewhere = facemon("store", "info", cwd=folder, env={"FACEMON_CONFIG": "missing.yaml"})
    assert (elsewhere.returncode, "missing.yaml: no such file" in elsewhere.stderr) == (2, True)
    wrong = facemon("store", "info", cwd=folder, env={"FACEMON_COLOR": "pink"})
    assert (wrong.returncode, "--color" in wrong.stderr) == (2, True)


def test_version(facemon: RunFacemon, tmp_path: Path) -> None:
    outcome = facemon("--version", cwd=tmp_path)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, f"facemon {__version__}\n", "")
    module = subprocess.run([sys.executable, "-m", "facemon", "--version"], capture_output=True, text=True, check=True)
    assert module.stdout == outcome.stdout


def test_completion_knows_the_commands(tmp_path: Path) -> None:
    variables = {"COMP_WORDS": "facemon st", "COMP_CWORD": "1", "_FACEMON_COMPLETE": "complete_bash"}
    outcome = shell("$F", tmp_path, **variables)
    assert (outcome.returncode, outcome.stdout.split()) == (0, ["store"])


def test_closed_streams(folder: Path) -> None:
    closed = shell("$F store info >&-", folder)
    assert (closed.returncode, closed.stderr) == (0, "")
    silent = shell("$F store nonsense 2>&-", folder)
    assert (silent.returncode, silent.stdout, silent.stderr) == (2, "", "")
    neither = shell("$F store verify <&- >&- 2>&-", folder)
    assert (neither.returncode, neither.stdout, neither.stderr) == (0, "", "")
    assert shell("$F store verify", folder).stdout.startswith("ok: 22 rows")
    deaf = shell("$F nonsense 2>&1 >/dev/null | true", folder)
    assert (deaf.returncode, deaf.stderr) == (2, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk(folder: Path) -> None:
    for line in (
        "store info",
        "store info --json",
        "export-metrics",
        "log -n 1 --model faces@1",
        "log --model faces@1 --format parquet",
    ):
        outcome = shell(f"$F {line} >/dev/full", folder)
        assert (outcome.returncode, outcome.stderr) == (
            1,
            "error: stdout cannot be written: No space left on device\n  hint: free space on its disk and run again\n",
        )  # fmt: skip


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_a_locale_that_knows_no_umlauts(folder: Path, locale: dict[str, str]) -> None:
    big = folder / "größe"
    big.mkdir()
    (folder / ".facemon").rename(big / ".facemon")
    (big / "bär.yaml").write_text("version: 1\nstore: {path: .facemon}\n", encoding="utf-8")
    for line in ("$F store info -c bär.yaml", "$F store verify -c bär.yaml", "$F predict --help", "$F export-metrics"):
        shown = shell(line, big, **locale)
        assert (shown.returncode, shown.stderr) == (0, ""), shown.stderr
    facts = json.loads(shell("$F store info --json", big, **locale).stdout)
    assert facts["rows"] == 22
    missing = shell("$F store info -c größer.yaml", big, **locale)
    assert (missing.returncode, "no such file" in missing.stderr) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_says_so(folder: Path, number: signal.Signals) -> None:
    script = (
        "import os, sys, facemon.store.inventory as inventory; from facemon.cli import main; import signal\n"
        f"inventory.take_inventory = lambda ledger: os.kill(os.getpid(), {number})\n"
        "sys.argv[1:] = ['store', 'info']; main.main()"
    )
    outcome = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert (outcome.returncode, outcome.stderr) == (130, f"error: interrupted by {number.name}\n")


def test_help_names_every_command_and_code(facemon: RunFacemon, tmp_path: Path) -> None:
    shown = facemon("--help", cwd=tmp_path, env={"COLUMNS": "120"}).stdout
    for name in ("predict", "reference", "drift-check", "export-metrics", "serve-metrics", "render-config", "store"):
        assert name in shown
    below = facemon("store", "info", "-h", cwd=tmp_path).stdout
    for option in ("--config", "--quiet", "--verbose", "--debug", "--color"):
        assert option in shown
        assert option in below
    assert "FACEMON__VERSION" not in shown
