"""Each command once in an interpreter of its own, and once as the other tests run it: both say the same."""

import re
import subprocess
from pathlib import Path

import pytest

from facemon.errors import ExitCode
from tests import started
from tests.acceptance.small_model import write_small_model
from tests.acceptance.tables import write_table
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image
from tests.short_form import some_of
from tests.started import neutral_environment

# Evidently, which takes longer to load than all the rest to run, has a test of its own here.
REST = """\
drift: {min_rows: 20, evidently: {when: never}}
evaluate: {min_labels: 1}
grafana: {admin_password_file: secrets/grafana}
"""
TABLES = ("--reference", "a.csv", "--current", "b.csv")
LINES: tuple[tuple[str, ...], ...] = (
    (),
    ("--version",),
    ("--help",),
    ("no-such-command",),
    ("init", "--model", "age-gender", "--output", "new.yaml"),
    ("model", "show"),
    ("model", "check", "images/00.png", "images/01.png", "--labels", "labels.csv", "--crops", "crops"),
    ("manifest", "images", "-o", "images.parquet"),
    ("predict", "images", "-o", "rows.parquet"),
    ("predict", "labels.txt"),
    ("predict", "-"),
    ("log", "--where", "hair=a", "--limit", "3"),
    ("log", "--worst", "2", "--labels", "labels.csv", "-o", "worst.csv"),
    ("evaluate", "labels.csv"),
    ("reference", "set", "--since", "1h", "--name", "a"),
    ("reference", "set", "rows.parquet", "--name", "b"),
    ("reference", "list"),
    ("reference", "show"),
    ("reference", "diff", "a", "b"),
    ("drift-check",),
    ("drift-check", "--explain", "hair"),
    ("drift-check", "--check", "data", *TABLES, "--html", "--format", "json"),
    ("metrics",),
    ("explain", "drift_score"),
    ("export-metrics",),
    ("render-config",),
    ("report", "-o", "report.html"),
    ("store", "info"),
    ("store", "verify"),
    ("store", "backup", "backup.tar"),
    ("store", "recover", "backup.tar"),
    ("store", "clock"),
)


AS_ANOTHER = {
    ("--version",), ("--help",), ("model", "show"), ("reference", "set", "rows.parquet", "--name", "b"),
    ("reference", "list"), ("reference", "show"), ("reference", "diff", "a", "b"), ("drift-check", "--explain", "hair"),
    ("metrics",), ("store", "verify"), ("store", "clock"),
}  # fmt: skip
"""Lines that load nothing which another line does not: both folders get what they write, by forked runs."""


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two folders with the same pictures and tables."""
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        prepare_folder(folder)
    return folders


def prepare_folder(folder: Path) -> None:
    """Make the pictures, tables and configuration that the lines ask for."""
    (folder / "images").mkdir(parents=True)
    write_small_model(folder, REST)
    for number in range(30):
        flat_image(folder / "images" / f"{number:02}.png", ((255, 0, 0), (0, 255, 0))[number % 2])
    (folder / "labels.csv").write_text("image,hair\n00.png,a\n01.png,a\n")
    (folder / "labels.txt").write_text("not an image")
    write_table(folder / "a.csv", seed=1)
    write_table(folder / "b.csv", seed=2, brightness=0.3)


def said(outcome: subprocess.CompletedProcess[str], folder: Path) -> tuple[int, str, str]:
    """What a run answered, without its folder, its numbers and what aligns them."""
    texts = (outcome.stdout.replace(str(folder), "FOLDER"), outcome.stderr.replace(str(folder), "FOLDER"))
    out, err = (re.sub(r"[-\s]+", " ", re.sub(r"[0-9a-f.:+-]*\d[0-9a-f.:+-]*", "N", text)) for text in texts)
    return outcome.returncode, out, err


@pytest.mark.long_proof
def test_both_ways_of_running_it_say_the_same(
    facemon: RunFacemon, facemon_anew: RunFacemon, folders: list[Path], at_length: bool
) -> None:
    assert started.STARTS_ANEW or started.may_be_forked(neutral_environment()), "one way would be compared with itself"
    assert set(LINES) > AS_ANOTHER
    codes = set()
    compared = some_of([line for line in LINES if line not in AS_ANOTHER], 2, at_length)
    for line in LINES:
        first = facemon_anew if line in compared else facemon
        stdin = "images/00.png\n" if line[-1:] == ("-",) else None
        anew, forked = (
            run(*line, cwd=folder, stdin=stdin) for run, folder in zip((first, facemon), folders, strict=True)
        )
        assert "unexpectedly" not in anew.stderr, line
        assert r"\u000a" not in anew.stderr, line  # a line end of facemon's own, taken for one in a name
        assert said(anew, folders[0]) == said(forked, folders[1]), line
        codes.add(anew.returncode)
    assert codes == {ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE, ExitCode.FOUND, ExitCode.UNDECIDED}


def test_a_fork_has_the_variables_that_it_is_given(
    facemon: RunFacemon, facemon_anew: RunFacemon, folders: list[Path]
) -> None:
    for line, variables in ((("--help",), {"COLUMNS": "60"}), (("metrics",), {"FACEMON_CONFIG": "missing.yaml"})):
        anew, forked = (
            run(*line, cwd=folder, env=variables) for run, folder in zip((facemon_anew, facemon), folders, strict=True)
        )
        assert said(anew, folders[0]) == said(forked, folders[1])
        assert forked.stdout != facemon(*line, cwd=folders[1]).stdout


def test_evidently_is_loaded_by_the_installed_command(facemon_anew: RunFacemon, folders: list[Path]) -> None:
    """Other tests run it forked."""
    outcome = facemon_anew("drift-check", "--check", "evidently", *TABLES, cwd=folders[0])
    assert (outcome.returncode, "evidently: drift (" in outcome.stdout) == (3, True), outcome.stderr
