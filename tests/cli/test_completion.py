"""Completion by the scripts that `--show-completion` prints, in the shells themselves where they are installed."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pytest

from facemon.store.ledger.opening import open_ledger
from facemon.store.references import set_from_table
from tests.cli.test_main import COMMAND, shell
from tests.conftest import RunFacemon
from tests.metrics.stores import CONFIGURATION
from tests.patience import HANG_S
from tests.started import neutral_environment
from tests.store.log_rows import NOON, log_images

pytestmark = pytest.mark.slow

NAMES = ("2026-11-22T10:00:00Z", "2026-11-22T12:00:00Z", "november", "été 2")
SCRIPT = """
eval "$(_FACEMON_COMPLETE=source_bash facemon)"
while IFS= read -r line; do
    IFS=$'\\x1f' read -ra COMP_WORDS <<< "$line"
    COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
    [[ $line == *$'\\x1f' ]] && COMP_WORDS+=("") && COMP_CWORD=$(( COMP_CWORD + 1 ))
    COMPREPLY=()
    _facemon_completion facemon
    (IFS=$'\\x1f'; printf '%s\\n' "${COMPREPLY[*]}")
done
"""
"""Reads words on each line, and prints what bash would offer."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log of two sources and references with names that a shell has to quote."""
    folder = tmp_path_factory.mktemp("completed")
    (folder / "facemon.yaml").write_text(CONFIGURATION)
    with open_ledger(folder / ".facemon", create=True) as ledger:
        log_images(ledger, 20, sources=("gate", "yard"))
        for name in NAMES:
            set_from_table(ledger, name, pa.table({"a": [1]}), kind="labels", note="", now=NOON)
    return folder


def as_bash_cuts(line: str) -> list[str]:
    """The words of a line: bash cuts at colons and equals signs too."""
    words = re.findall(r"(?:\\.|[^\s:=\\])+|[:=]+", line)
    is_between = line.endswith((" ", "=", ":")) and not line.endswith("\\ ")
    return [*words, ""] if is_between else words


def by_bash(folder: Path, lines: Iterable[str]) -> list[list[str]]:
    """What bash offers for each line."""
    path = f"{COMMAND.parent}:/usr/bin:/bin"
    given = "\n".join("\x1f".join(as_bash_cuts(line)) for line in lines)
    ran = subprocess.run(
        ["bash", "--norc", "-c", SCRIPT], input=f"{given}\n", cwd=folder, capture_output=True, encoding="utf-8",
        env=neutral_environment() | {"PATH": path, "LC_ALL": "C.UTF-8"}, check=True, timeout=HANG_S,
    )  # fmt: skip
    assert ran.stderr == ""
    return [line.split("\x1f") if line else [] for line in ran.stdout.splitlines()]


OFFERED = {
    "facemon ref": ["reference"],
    "facemon reference r": ["rm"],
    "facemon reference show nov": ["november"],
    "facemon reference show é": ["été\\ 2"],
    "facemon reference show été\\ ": ["été\\ 2"],
    "facemon reference diff november 2026-11-22T1": ["2026-11-22T12:00:00Z", "2026-11-22T10:00:00Z"],
    "facemon reference diff november 2026-11-22T12:": ["00:00Z"],
    "facemon reference rm november 2026-11-22T12:00:0": ["00Z"],
    "facemon drift-check --reference nov": ["november"],
    "facemon drift-check --reference=2026-11-22T10:": ["00:00Z"],
    "facemon drift-check --fail-on attribute=gend": ["gender", "gender_confidence"],
    "facemon drift-check --fail-on n": ["never"],
    "facemon drift-check --explain gender_": ["gender_confidence"],
    "facemon drift-check --format j": ["json", "junit"],
    "facemon log --source g": ["gate"],
    "facemon log --model f": ["faces@1"],
    "facemon explain DriftD": ["DriftDetected"],
    "facemon explain ya": ["yard"],
    "facemon metrics drift_sc": ["drift_score"],
    "facemon doctor --alert DriftD": ["DriftDetected"],
    "facemon predict --source y": ["yard"],
    "facemon --config facemon.ya": [],
    "facemon predict photos/ --source=unknown": [],
}


def test_bash(folder: Path) -> None:
    found = by_bash(folder, OFFERED)
    assert dict(zip(OFFERED, found, strict=True)) == OFFERED


def test_the_script_is_printed(folder: Path) -> None:
    printed = shell("$F --show-completion", folder)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert "complete -o default -F _facemon_completion facemon" in printed.stdout


@pytest.mark.parametrize("name", ["zsh", "fish"])
def test_other_shells_take_their_script(folder: Path, name: str, facemon: RunFacemon) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    script = facemon(cwd=folder, env={"_FACEMON_COMPLETE": f"source_{name}"}).stdout
    subprocess.run([name, "-n"], input=script, encoding="utf-8", check=True, timeout=HANG_S)


def asked(facemon: RunFacemon, folder: Path, words: str, **variables: str) -> tuple[int, list[str], str]:
    """What a shell is told for a line, with the exit code and what it would show the user."""
    variables = {"_FACEMON_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": f"facemon {words}"} | variables
    answer = facemon(cwd=folder, env=variables)
    return answer.returncode, re.findall(r'"([^"]*)"', answer.stdout), answer.stderr


def contents(folder: Path) -> Mapping[str, tuple[float, str]]:
    """Each file and folder with its time and its bytes."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime, hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        )
        for path in (folder, *sorted(folder.rglob("*")))
    }  # fmt: skip


LINES = ("reference show nov", "log --source ", "explain ", "drift-check --explain ", "log --model ")


def test_nothing_is_written(facemon: RunFacemon, folder: Path) -> None:
    before = contents(folder)
    for line in LINES:
        code, values, said = asked(facemon, folder, line)
        assert (code, bool(values), said) == (0, True, ""), line
    assert contents(folder) == before


def test_a_writer_is_not_waited_for(facemon: RunFacemon, folder: Path) -> None:
    with open_ledger(folder / ".facemon") as ledger, ledger.writing():
        assert asked(facemon, folder, "reference show nov") == (0, ["november"], "")
    with open_ledger(folder / ".facemon") as ledger:
        made = set_from_table(ledger, "december", pa.table({"a": [1]}), kind="labels", note="", now=NOON)
        assert asked(facemon, folder, "reference show dec") == (0, ["december"], "")
        with ledger.writing():
            ledger.references.remove(made, NOON)
    assert asked(facemon, folder, "reference show dec")[1] == []


@pytest.mark.parametrize("trouble", ["no store", "no folder", "damaged", "foreign", "configuration", "older"])
def test_no_error_reaches_the_line(facemon: RunFacemon, tmp_path: Path, trouble: str) -> None:
    store = tmp_path / ".facemon"
    (tmp_path / "facemon.yaml").write_text("store: [" if trouble == "configuration" else CONFIGURATION)
    if trouble == "no folder":
        (tmp_path / "facemon.yaml").write_text(f"{CONFIGURATION}store: {{path: nowhere/at/all}}\n")
    if trouble in ("damaged", "foreign", "older"):
        with open_ledger(store, create=True) as ledger:
            log_images(ledger, 3)
        place, data = {"damaged": (100, b"x" * 8_000), "foreign": (68, b"\0\0\0\0"), "older": (60, b"\0\0\0\1")}[
            trouble
        ]
        with (store / "ledger.sqlite").open("r+b") as file:
            file.seek(place)
            file.write(data)
    before = contents(tmp_path)
    for line in LINES:
        code, _, said = asked(facemon, tmp_path, line)
        assert (code, said) == (0, ""), line
    assert asked(facemon, tmp_path, "reference show ")[1] == []
    assert contents(tmp_path) == before


def test_the_configuration_of_the_line_is_asked(facemon: RunFacemon, folder: Path, tmp_path: Path) -> None:
    line = f"--config {folder}/facemon.yaml reference show nov"
    assert asked(facemon, tmp_path, line)[1] == ["november"]
    line = f"reference show --config {folder}/facemon.yaml nov"
    assert asked(facemon, tmp_path, line)[1] == ["november"]
    variable = {"FACEMON_CONFIG": f"{folder}/facemon.yaml"}
    assert asked(facemon, tmp_path, "reference show nov", **variable)[1] == ["november"]
