"""`facemon drift-check` as its user runs it, on a camera's log: dark days, quiet days, few rows, wrong questions."""

import fcntl
import json
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from facemon.store.ledger.opening import open_ledger
from tests.acceptance.camera import DAY_ONE, DAY_THREE, DAY_TWO, IMAGES, QUIET, window
from tests.conftest import RunFacemon

PROBE = """
import sys
from facemon.cli.main import run
code = run(sys.argv[1:])
print(code, *sorted({name.split(".")[0] for name in sys.modules}), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def camera(three_days: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the log of a bright day, which is the reference, a dark day and a bright one again."""
    folder = tmp_path_factory.mktemp("camera")
    shutil.copytree(three_days / "after-three", folder / ".facemon")
    return folder


def columns_of(document: dict[str, Any], check: str) -> dict[str, dict[str, Any]]:
    return {column["column"]: column for column in document["checks"][check]["columns"]}


def test_a_dark_camera_is_drift(facemon: RunFacemon, camera: Path) -> None:
    outcome = facemon("drift-check", "--no-record", "--check", "data", *window(DAY_TWO), cwd=camera)
    assert outcome.returncode == 3
    first, second, _, headings, brightness, *_ = outcome.stdout.splitlines()
    assert first.startswith("Drift. Current: ")
    assert f"reference bright: {IMAGES} rows from 2026-11-20 00:00 to 2026-11-21 00:00 UTC" in first
    assert second.startswith("data: drift (")
    assert headings.split() == ["check", "column", "verdict", "shift", "limit", "p", "rows", "why"]
    assert brightness.split()[:3] == ["data", "image_brightness", "drift"]
    assert outcome.stderr == ""


def test_a_quiet_day_is_none(facemon: RunFacemon, camera: Path) -> None:
    outcome = facemon("drift-check", "--check", "data", *QUIET, *window(DAY_THREE), cwd=camera)
    assert (outcome.returncode, outcome.stdout.split(".")[0]) == (0, "No drift"), outcome.stdout
    quiet = facemon("drift-check", "--no-record", "--check", "data", "-q", *QUIET, *window(DAY_THREE), cwd=camera)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    against_itself = ("--check", "model", "--model-threshold", "0.3", *window(DAY_THREE))
    assert facemon("drift-check", *against_itself, cwd=camera).returncode == 0


def test_quiet_still_tells_of_drift_and_doubt(facemon: RunFacemon, camera: Path) -> None:
    drifted = facemon("drift-check", "-q", "--check", "data", *window(DAY_TWO), cwd=camera)
    undecided = facemon("drift-check", "-q", "--check", "data", "--since", "1h", "--until", "2020-01-01", cwd=camera)
    assert (drifted.returncode, undecided.returncode) == (3, 4)
    assert drifted.stdout.startswith("Drift. ")
    assert undecided.stdout.startswith("Undecided: not enough data to decide. ")


def test_few_rows_decide_nothing(facemon: RunFacemon, camera: Path) -> None:
    hours = ("--since", "6h", "--until", (DAY_TWO + timedelta(hours=6)).isoformat())
    outcome = facemon("drift-check", "--check", "data", *hours, "--format", "json", cwd=camera)
    assert outcome.returncode == 4
    brightness = columns_of(json.loads(outcome.stdout), "data")["image_brightness"]
    assert brightness["verdict"] == "undecided"
    assert brightness["reason"] == f"{IMAGES // 4} rows, fewer than min_rows 200"
    lowered = facemon("drift-check", "--check", "data", *hours, "--min-rows", "20", cwd=camera)
    assert lowered.returncode == 3


def test_json_is_one_line_and_says_what_the_text_says(facemon: RunFacemon, camera: Path) -> None:
    outcome = facemon("drift-check", "--check", "data", *window(DAY_TWO), "--format", "json", cwd=camera)
    assert (outcome.returncode, outcome.stdout.count("\n")) == (3, 1)
    document = json.loads(outcome.stdout)
    assert (document["schema"], document["verdict"], document["model"]) == ("facemon.drift/1", "drift", "age-gender@1")
    assert document["reference"]["name"] == "bright"
    assert document["reference"]["kind"] == "predictions"
    assert document["current"] | {"rows": 0} == {
        "since": "2026-11-21T00:00:00.000000Z", "until": "2026-11-22T00:00:00.000000Z", "rows": 0
    }  # fmt: skip
    assert list(document["checks"]) == ["data"]
    assert document["checks"]["data"]["threshold"] == 0.1
    brightness = columns_of(document, "data")["image_brightness"]
    assert (brightness["verdict"], brightness["method"]) == ("drift", "ks")
    assert brightness["score"] > 0.9
    assert brightness["p_adjusted"] < 1e-20
    assert brightness["n_reference"] == IMAGES


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("any", 3), ("never", 0), ("share=0.2", 3), ("share=0.9", 0),
        ("attribute=image_brightness", 3), ("attribute=image_size", 0),
    ],
)  # fmt: skip
def test_fail_on_decides_when_drift_is_3(facemon: RunFacemon, camera: Path, rule: str, code: int) -> None:
    outcome = facemon("drift-check", "--check", "data", *window(DAY_TWO), "--fail-on", rule, cwd=camera)
    assert outcome.returncode == code
    assert outcome.stdout.startswith("Drift. ")


@pytest.mark.parametrize("rule", ["always", "share=0", "share=1.5", "share=nan", "share=", "attribute=", "any=1", ""])
def test_fail_on_that_is_no_rule(facemon: RunFacemon, tmp_path: Path, rule: str) -> None:
    outcome = facemon("drift-check", "--fail-on", rule, cwd=tmp_path)
    assert outcome.returncode == 2
    assert "write any, never, share=0.5 or attribute=NAME" in outcome.stderr
    assert not (tmp_path / ".facemon").exists()


def test_a_misspelt_attribute_does_not_silence_the_alarm(facemon: RunFacemon, camera: Path) -> None:
    misspelt = ("--fail-on", "attribute=image_brigthness")
    before = (camera / ".facemon" / "ledger.sqlite").read_bytes()
    check = ("drift-check", "--record", "--check", "data", *window(DAY_TWO))
    outcome = facemon(*check, *misspelt, cwd=camera)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert "attribute=image_brigthness: no check compares a column of that name" in outcome.stderr
    assert "hint: did you mean image_brightness?" in outcome.stderr
    outcome = facemon(*check, "--fail-on", "attribute=gender", cwd=camera)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert "attribute=gender: the data check does not compare it\n  hint: leave out --check data" in outcome.stderr
    assert (camera / ".facemon" / "ledger.sqlite").read_bytes() == before


def test_a_misspelt_column_of_a_table_shows_the_verdict_too(facemon: RunFacemon, tmp_path: Path) -> None:
    """Which columns a table has is known once it was read; what was found by then must not be lost."""
    for name, first in (("a.csv", 0), ("b.csv", 1000)):
        (tmp_path / name).write_text("speed\n" + "".join(f"{first + row % 97}\n" for row in range(500)))
    tables = ("drift-check", "--check", "data", "--reference", "a.csv", "--current", "b.csv")
    outcome = facemon(*tables, "--fail-on", "attribute=sped", cwd=tmp_path)
    assert outcome.returncode == 2
    assert outcome.stdout.startswith("Drift. ")
    assert "attribute=sped: nothing of that name was compared\n  hint: did you mean speed?" in outcome.stderr
    assert facemon(*tables, "--fail-on", "attribute=speed", cwd=tmp_path).returncode == 3


def test_exit_zero(facemon: RunFacemon, camera: Path) -> None:
    for arguments in (window(DAY_TWO), ("--since", "1h", "--until", "2020-01-01")):
        outcome = facemon("drift-check", "--check", "data", *arguments, "--exit-zero", cwd=camera)
        assert outcome.returncode == 0
        assert outcome.stdout.startswith(("Drift. ", "Undecided"))


@pytest.mark.slow
def test_evidently_writes_a_report_and_decides_only_by_name(facemon_with_evidently: RunFacemon, camera: Path) -> None:
    # image_saturation is drift for Evidently on the dark day, and ok for the data check at this threshold.
    rule = ("--data-threshold", "0.9", "--fail-on", "attribute=image_saturation")
    together = facemon_with_evidently("drift-check", "--record", *window(DAY_TWO), *rule, cwd=camera)
    assert (together.returncode, together.stdout.split(".")[0]) == (0, "Drift"), together.stdout
    assert "evidently: drift (" in together.stdout
    assert "Evidently's verdict is informational" in together.stdout
    report = Path(together.stderr.splitlines()[0].removeprefix("Evidently's report: "))
    assert report.is_relative_to(camera / ".facemon" / "reports")
    assert "<html" in report.read_text(encoding="utf-8")
    named = facemon_with_evidently(
        "drift-check", "--check", "evidently", *window(DAY_TWO), "-q", "--no-record", cwd=camera
    )
    assert (named.returncode, named.stderr) == (3, "")


@pytest.mark.parametrize("check", ["data", "model"])
def test_our_own_checks_load_no_pandas(camera: Path, check: str) -> None:
    arguments = ("drift-check", "-q", "--exit-zero", "--check", check, *window(DAY_TWO))
    probe = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], cwd=camera, capture_output=True, text=True, check=True
    )
    code, *modules = probe.stderr.splitlines()[-1].split()
    assert code == "0", probe.stderr
    assert "pyarrow" in modules
    assert not {"pandas", "evidently", "onnxruntime", "PIL", "dlib", "rich"} & set(modules)


def test_without_a_store_and_without_a_reference(facemon: RunFacemon, tmp_path: Path) -> None:
    outcome = facemon("drift-check", cwd=tmp_path)
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert f"error: there is no store in {tmp_path / '.facemon'}\n  hint: facemon predict makes one" in outcome.stderr
    named = facemon("drift-check", "--reference", "summer", cwd=tmp_path)
    assert (named.returncode, "Traceback" in named.stderr) == (2, False)
    assert not (tmp_path / ".facemon").exists()
    (tmp_path / "now.csv").write_text("smile\nyes\n")
    table = facemon("drift-check", "--current", "now.csv", cwd=tmp_path)
    assert (table.returncode, "hint: --reference FILE names a table" in table.stderr) == (1, True)
    open_ledger(tmp_path / ".facemon", create=True).close()
    assert facemon("drift-check", "--current", "now.csv", cwd=tmp_path).stderr == table.stderr
    outcome = facemon("drift-check", cwd=tmp_path)
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert "error: no reference has been set\n  hint: facemon reference set --since 24h" in outcome.stderr


def test_a_reference_that_is_not_there(facemon: RunFacemon, camera: Path) -> None:
    named = facemon("drift-check", "--reference", "summer", cwd=camera)
    assert (named.returncode, "hint: choose one of: bright" in named.stderr) == (2, True)
    path = facemon("drift-check", "--reference", "summer.csv", cwd=camera)
    assert (path.returncode, "neither a reference nor a file of that name" in path.stderr) == (2, True)
    assert facemon("drift-check", "--reference", "", cwd=camera).returncode == 2


def test_a_window_that_overlaps_the_reference_begins_at_its_end(facemon: RunFacemon, camera: Path) -> None:
    check = ("drift-check", "--check", "data", "--format", "json", "--until", DAY_THREE.isoformat(), "--since")
    overlapping, touching = (json.loads(facemon(*check, since, cwd=camera).stdout) for since in ("36h", "24h"))
    assert overlapping["current"] == touching["current"]
    assert overlapping["checks"] == touching["checks"]
    (note,) = overlapping["notes"]
    assert note.startswith("The window begins at the end of the reference bright, 2026-11-21 00:00 UTC, because")
    assert touching["notes"] == []
    within = ("--since", "6h", "--until", (DAY_ONE + timedelta(hours=18)).isoformat())
    for checks in ("data", "evidently"):
        outcome = facemon("drift-check", "--check", checks, *within, cwd=camera)
        assert outcome.returncode == 4, outcome.stderr
        reason = "the window lies within the reference bright: the first check can run after 2026-11-21 00:00 UTC"
        assert reason in outcome.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--since", "yesterday"), "write a duration such as 24h, or a time"),
        (("--until", "soon"), "write a time such as"),
        (("--since", "2026-11-23", "--until", "2026-11-22"), "is empty"),
        (("--since", "999999999d"), "before the year 1"),
        (("--until", "0001-01-01"), "before the year 1"),
        (("--current", "a.csv", "--since", "1h"), "which --current replaces"),
        (("--check", "everything"), "'all', 'data', 'model', 'evidently'"),
        (("--data-threshold", "2"), "--data-threshold"),
        (("--min-rows", "0"), "--min-rows"),
        (("--source", b"caf\xe9".decode("utf-8", "surrogateescape")), "source caf\\xe9: is not UTF-8"),
    ],
)
def test_wrong_usage(facemon: RunFacemon, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    outcome = facemon("drift-check", *arguments, cwd=tmp_path)
    assert outcome.returncode == 2, outcome.stderr
    assert said in outcome.stderr
    assert not (tmp_path / ".facemon").exists()


def test_another_drift_check_is_running(facemon: RunFacemon, camera: Path) -> None:
    with (camera / ".facemon" / "locks" / "drift-check.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        outcome = facemon("drift-check", "--check", "data", *window(DAY_TWO), "--record", cwd=camera)
        assert facemon("store", "verify", cwd=camera).returncode == 0
    assert (outcome.returncode, outcome.stdout) == (75, "")
    assert "another facemon drift-check is running" in outcome.stderr


def test_the_history_has_every_check(facemon: RunFacemon, camera: Path) -> None:
    before = facemon("drift-check", "--history", cwd=camera).stdout.splitlines()
    facemon("drift-check", "--check", "data", *window(DAY_TWO), "--record", cwd=camera)
    headings, newest, *older = facemon("drift-check", "--history", cwd=camera).stdout.splitlines()
    assert headings.split() == ["checked", "at", "(UTC)", "verdict", "reference", "rows", "drifted"]
    assert newest.split()[2:4] == ["drift", "bright"]
    assert "image_brightness" in newest
    assert older[:15] == before[1:16]
