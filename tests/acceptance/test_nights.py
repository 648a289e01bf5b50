"""Night after night, as a new user has them: the night after the reference, quiet nights, an attribute that is new."""

import json
import re
import shutil
import subprocess
import sys
from contextlib import chdir
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from facemon import Monitor
from tests.acceptance.camera import take_pictures
from tests.acceptance.small_model import write_small_model
from tests.acceptance.tables import CONFIGURATION
from tests.conftest import RunFacemon
from tests.recent_hours import HOUR, hours_of_one_date

MASK = '        - {name: mask, output: mask, kind: binary, labels: ["no", "yes"], activation: sigmoid}\n'
BEARD = CONFIGURATION.partition("tables:")[0]
PROBE = """
import atexit, sys
from facemon.cli.main import main
atexit.register(lambda: print(*sorted({name.split(".")[0] for name in sys.modules}), file=sys.stderr))
main()
"""
WAY_OUT = "set a new reference with facemon reference set --since 24h"


def log(
    folder: Path, *, ago: timedelta, seed: int, rows: int = 6_000, masks: bool = False, beards: float = 0.3
) -> None:
    random, begin = np.random.default_rng(seed), hours_of_one_date(ago=ago)
    columns = {
        "image": [f"{seed}-{index}.jpg" for index in range(rows)],
        "observed_at": pa.array(
            [begin + timedelta(seconds=index % 1_800) for index in range(rows)], pa.timestamp("us", "UTC")
        ),
        "beard": np.where(random.random(rows) < beards, "yes", "no"),
        "beard_confidence": pa.array(1 - random.beta(1, 20, rows), pa.float32()),
        "image_brightness": random.normal(0.5, 0.1, rows).clip(0, 1),
    }
    if masks:
        columns["mask"] = np.where(random.random(rows) < 0.5, "yes", "no")
    with chdir(folder), Monitor("facemon.yaml") as monitor:
        monitor.log(pa.table(columns))


def set_reference(facemon: RunFacemon, folder: Path, name: str, *, ago: timedelta) -> None:
    begin = hours_of_one_date(ago=ago)
    window = ("--since", (begin - HOUR).isoformat(), "--until", (begin + 2 * HOUR).isoformat())
    made = facemon("-q", "reference", "set", *window, "--name", name, cwd=folder)
    assert made.returncode == 0, made.stderr


@pytest.fixture(scope="module")
def logged(facemon: RunFacemon, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a reference and a day like it; all defaults."""
    folder = tmp_path_factory.mktemp("logged")
    (folder / "facemon.yaml").write_text(BEARD)
    log(folder, ago=timedelta(days=5), seed=1)
    log(folder, ago=timedelta(hours=2), seed=2)
    set_reference(facemon, folder, "normal", ago=timedelta(days=5))
    return folder


@pytest.fixture
def quiet(logged: Path, tmp_path: Path) -> Path:
    """A copy of `logged`, for one test."""
    return shutil.copytree(logged, tmp_path / "copy")


def verdicts(document: dict[str, dict[str, dict[str, list[dict[str, str]]]]]) -> dict[str, str]:
    return {column["column"]: column["verdict"] for column in document["checks"]["model"]["columns"]}


def test_the_readme_in_a_fresh_folder(facemon: RunFacemon, tmp_path: Path) -> None:
    """predict, reference set, drift-check: the first night has nothing to compare yet, and that is not an error."""
    write_small_model(tmp_path)
    take_pictures(tmp_path / "images", images=40, seed=1)
    assert facemon("predict", "images", cwd=tmp_path).returncode == 0
    assert facemon("reference", "set", "--since", "24h", cwd=tmp_path).returncode == 0
    for _ in range(2):
        checked = facemon("drift-check", cwd=tmp_path)
        assert checked.returncode == 4, checked.stderr
        assert "The window begins at the end of the reference" in checked.stdout
        for name in ("data", "model"):
            assert re.search(
                rf"^The {name} check never decides .* at \d+ images a day: take \d+ days", checked.stdout, re.MULTILINE
            )
        assert facemon("predict", "images", cwd=tmp_path).returncode == 0
    history = facemon("drift-check", "--history", "--format", "json", cwd=tmp_path).stdout.splitlines()
    reference, current = json.loads(history[0])["reference"], json.loads(history[0])["current"]
    assert current["since"] == reference["until"]
    assert current["rows"] == 40
    assert {json.loads(line)["recorded"] for line in history} == {True}


def test_a_quiet_night_does_not_load_evidently(facemon: RunFacemon, quiet: Path) -> None:
    night = subprocess.run(
        [sys.executable, "-c", PROBE, "-q", "drift-check"], cwd=quiet, capture_output=True, text=True, check=False
    )
    assert (night.returncode, night.stdout) == (0, ""), night.stderr
    modules = set(night.stderr.splitlines()[-1].split())
    assert "pyarrow" in modules
    assert not {"pandas", "evidently", "rich"} & modules
    (document,) = map(
        json.loads, facemon("drift-check", "--history", "--format", "json", cwd=quiet).stdout.splitlines()
    )
    assert list(document["checks"]) == ["data", "model"]


def test_a_night_leaves_one_small_page(facemon: RunFacemon, quiet: Path) -> None:
    night = facemon("drift-check", cwd=quiet)
    assert night.returncode == 0, night.stdout
    page = Path(night.stderr.strip().removeprefix("report: "))
    folder = quiet / ".facemon" / "reports"
    assert sorted(path.name for path in folder.iterdir()) == [page.name, "latest.html"]
    text = page.read_text()
    assert (folder / "latest.html").read_text() == text
    assert "No drift." in text
    assert "<svg" in text
    assert len(text) < 100_000
    facts = json.loads(facemon("store", "info", "--json", cwd=quiet).stdout)
    assert (facts["reports"], facts["report_bytes"]) == (2, 2 * len(text.encode()))


def test_old_reports_go_with_the_night_and_with_prune(facemon: RunFacemon, quiet: Path) -> None:
    folder = quiet / ".facemon" / "reports"
    old = folder / "evidently-20200101T000000Z.html"
    for command in (("drift-check", "--check", "data"), ("store", "prune")):
        old.write_text("x")
        assert facemon("drift-check", "--no-record", "--check", "data", cwd=quiet).returncode == 0
        assert old.exists()
        assert facemon("-q", *command, cwd=quiet).returncode == 0
        assert not old.exists()


def test_a_page_that_cannot_be_written_hides_no_verdict(facemon: RunFacemon, quiet: Path) -> None:
    (quiet / ".facemon" / "reports" / "latest.html").mkdir()
    night = facemon("-q", "drift-check", "--check", "data", cwd=quiet)
    assert (night.returncode, night.stdout) == (0, "")
    assert night.stderr.startswith("warning: ")
    assert "latest.html cannot be written: Is a directory" in night.stderr


@pytest.mark.slow
def test_a_night_with_drift_links_to_evidently(facemon_with_evidently: RunFacemon, quiet: Path) -> None:
    log(quiet, ago=timedelta(hours=1), seed=3, beards=0.9)
    night = facemon_with_evidently("drift-check", cwd=quiet)
    assert night.returncode == 3, night.stderr
    folder = quiet / ".facemon" / "reports"
    (evidently,) = folder.glob("evidently-*.html")
    assert f'<a href="{evidently.name}">' in (folder / "latest.html").read_text()
    assert len(list(folder.iterdir())) == 4
    # A look that shows Evidently's verdict leaves no page, unless a page is asked for.
    for options, more in (((), 0), (("--html",), 3)):
        look = facemon_with_evidently("drift-check", "--since", "4h", *options, cwd=quiet)
        assert look.returncode == 3, look.stderr
        assert "evidently: " in look.stdout
        assert len(list(folder.iterdir())) == 4 + more
    assert f'<a href="{evidently.name}">' in (folder / "latest.html").read_text()


@pytest.mark.parametrize(("rows", "side"), [(20, "--current"), (20, "--reference")])
def test_evidently_with_few_rows_is_undecided(facemon: RunFacemon, tmp_path: Path, rows: int, side: str) -> None:
    random = np.random.default_rng(0)
    for name, count in (("many", 1_000), ("few", rows)):
        lines = [f"{random.choice(list('abcdefg'))},{random.normal():.4f}" for _ in range(count)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["hair,width", *lines]))
    other = "--reference" if side == "--current" else "--current"
    command = [sys.executable, "-c", PROBE, "drift-check", "--check", "evidently", side, "few.csv", other, "many.csv"]
    outcome = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert outcome.returncode == 4, outcome.stderr
    assert f"{rows} rows{' in the reference' * (side == '--reference')}, fewer than min_rows 200" in outcome.stdout
    assert "evidently" not in outcome.stderr.splitlines()[-1].split()


def test_a_method_that_evidently_lacks_is_told_on_quiet_nights_too(facemon: RunFacemon, quiet: Path) -> None:
    methods = "drift: {evidently: {when: WHEN, methods: {numerical: wasserstien}}}\n"
    for when, code in (("drift", 2), ("always", 2), ("never", 0)):
        (quiet / "facemon.yaml").write_text(BEARD + methods.replace("WHEN", when))
        night = facemon("drift-check", cwd=quiet)
        assert (night.returncode, "did you mean wasserstein?" in night.stderr) == (code, code == 2), night.stderr


def test_a_new_attribute_is_undecided_until_a_reference_has_it(facemon: RunFacemon, quiet: Path) -> None:
    check = ("-q", "drift-check", "--check", "model", "--format", "json")
    assert facemon(*check, cwd=quiet).returncode == 0
    (quiet / "facemon.yaml").write_text(BEARD + MASK)
    # Neither the reference nor the log has it; then the log alone; night after night.
    for masks in (False, True, True):
        log(quiet, ago=timedelta(hours=1), seed=4 + masks, masks=masks)
        night = facemon(*check, cwd=quiet)
        assert night.returncode == 4, night.stdout
        document = json.loads(night.stdout)
        assert verdicts(document)["beard"] == "ok"
        assert verdicts(document)["mask"] == "undecided"
        assert WAY_OUT in night.stdout
    log(quiet, ago=timedelta(days=3), seed=9, masks=True)
    set_reference(facemon, quiet, "with-masks", ago=timedelta(days=3))
    final = json.loads(facemon("drift-check", "--check", "model", "--format", "json", cwd=quiet).stdout)
    assert verdicts(final)["mask"] in ("ok", "drift")


def test_a_column_that_the_night_before_compared_is_missed(facemon: RunFacemon, quiet: Path) -> None:
    """A new reference without what the old one had: undecided, night after night, until a reference is set again."""
    check = ("-q", "drift-check", "--check", "model")
    assert facemon(*check, cwd=quiet).returncode == 0
    labels = "\n".join(["beard", *("yes" if index % 10 < 3 else "no" for index in range(1_000))])
    (quiet / "plain.csv").write_text(labels)
    assert facemon("reference", "set", "plain.csv", "--name", "plain", cwd=quiet).returncode == 0
    for _ in range(2):
        night = facemon(*check, cwd=quiet)
        assert night.returncode == 4, night.stdout
        assert "beard_confidence  undecided" in night.stdout
        assert "compared it" in night.stdout
    assert facemon("reference", "set", "plain.csv", "--name", "again", cwd=quiet).returncode == 0
    assert "beard_confidence  not compared" in facemon("drift-check", "--check", "model", cwd=quiet).stdout


def test_rows_that_come_too_late_for_every_check_are_counted_once(facemon: RunFacemon, quiet: Path) -> None:
    def night(*options: str) -> tuple[int | None, bool]:
        """How many rows were late, and whether a note says so."""
        answer = facemon("drift-check", "--check", "model", "--format", "json", *options, cwd=quiet)
        assert answer.returncode == 0, answer.stderr
        document = json.loads(answer.stdout)
        return document["late_rows"], any("logged since the last recorded check" in note for note in document["notes"])

    assert night() == (0, False), "there was no check before, after which rows could be late"
    log(quiet, ago=timedelta(days=2), seed=3, rows=70)
    assert night("--since", "4h") == (None, False), "a look counts nothing"
    assert night("--since", "4h", "--record")[0] is None, "nor does a recorded check of another window"
    assert night() == (70, True)
    assert night() == (0, False)
