"""`facemon report` after a model update: a page of one model never looks like all that happened in the period."""

import shlex
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facemon import Monitor
from facemon.domain.labelled import LabelledImage
from facemon.domain.times import hour_of
from facemon.errors import FacemonError
from facemon.store.evaluations import record_accuracy
from facemon.store.ledger.opening import open_ledger
from tests.acceptance.small_model import CONFIG, write_small_model
from tests.conftest import RunFacemon
from tests.reports.page_outline import Outline

SPAN = ("--since", "7d")
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with rows, a check and an evaluation of small@1 at the gate, and then rows of small@2 in the yard."""
    folder, now = tmp_path_factory.mktemp("update"), datetime.now(UTC)
    write_small_model(folder)
    (folder / "new.yaml").write_text(CONFIG.replace('version: "1"', 'version: "2"'))
    old, new = Monitor(folder / "facemon.yaml"), Monitor(folder / "new.yaml")
    for day, hair in ((2, "a"), (1, "b")):
        old.log([row(f"{day}-{number}", hair, "gate", now - day * 24 * HOUR) for number in range(30)])
    old.set_reference_window(now - 50 * HOUR, now - 40 * HOUR, name="normal")
    old.check_window(record=True)
    with open_ledger(folder / ".facemon") as ledger:
        images = [LabelledImage("hair", f"2-{number}", hour_of(now), None, True) for number in range(30)]
        record_accuracy(ledger, "small@1", now - HOUR, {"hair": (30, 30)}, images)
    old.log([row("late", "a", "gate", now - 100 * HOUR)])
    new.log([row(f"new-{number}", "a", "yard", now) for number in range(5)])
    return folder


def row(image: str, hair: str, source: str, at: datetime) -> dict[str, object]:
    return {"image": image, "hair": hair, "hair_confidence": 0.9, "source": source, "observed_at": at}


def text_of(page: Path) -> str:
    return " ".join(" ".join(Outline(page.read_text()).text).split())


def test_the_page_and_stderr_name_the_other_model_with_its_counts_and_a_command(
    folder: Path, facemon: RunFacemon, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    ran = facemon("-q", "-c", "new.yaml", "report", *SPAN, "-o", str(page), cwd=folder)
    assert ran.returncode == 0
    said = "the page is of small@2 alone: small@1 has 61 images, 1 check, 1 evaluation in this period: facemon report"
    assert ran.stderr.startswith(said)
    command = ran.stderr.removeprefix(said.removesuffix("facemon report")).strip()
    text = text_of(page)
    assert "Other models in this period" in text
    assert f"small@1 61 1 1 1 {command}" in text
    for empty in (
        "No check of small@2 was recorded in this period", "No evaluation of small@2 against true labels",
        "No rows of small@2 came too late", "No source of small@2 is known to be silent",
    ):  # fmt: skip
        assert empty in text, empty
    for whole in ("No check was recorded", "No evaluation against", "No rows came", "No source is"):
        assert whole not in text, whole

    again = facemon(*shlex.split(command)[1:], cwd=folder)
    assert again.returncode == 0, again.stderr
    other = text_of(folder / "small@1.html")
    assert "Accuracy Shares of right predictions" in other
    assert "small@2 5 0 0 0 facemon report --model small@2" in other


def test_a_model_without_records_names_the_models_that_have_some(folder: Path, facemon: RunFacemon) -> None:
    ran = facemon("-c", "new.yaml", "report", *SPAN, "--source", "gate", cwd=folder)
    assert ran.returncode == 1
    assert "the store has no records of small@2 and the source gate" in ran.stderr
    assert "small@1 has 61 images, 1 check in this period: facemon report --model small@1" in ran.stderr
    assert "--source gate" in ran.stderr


def test_a_period_of_one_model_names_no_other(folder: Path, facemon: RunFacemon, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    ran = facemon("report", "--since", "7d", "--source", "gate", "-o", str(page), cwd=folder)
    assert ran.stderr == f"report: {page}\n"
    assert "Other models" not in text_of(page)


def test_the_hash_covers_what_is_said_of_other_models(folder: Path, tmp_path: Path) -> None:
    store = shutil.copytree(folder, tmp_path / "copy")

    def page() -> str:
        made = Monitor(store / "new.yaml").report(tmp_path / "page.html", since=timedelta(days=7), source="yard")
        return made.read_text().split("SHA-256 over these records: <code>")[1][:64]

    before = page()
    Monitor(store / "facemon.yaml").log([row("more", "a", "yard", datetime.now(UTC) - HOUR)])
    assert page() != before


def test_from_python_the_error_names_them_too(folder: Path) -> None:
    with pytest.raises(FacemonError, match="no records of small@2 and the source gate") as caught:
        Monitor(folder / "new.yaml").report(folder / "none.html", since="7d", source="gate")
    assert "small@1 has 61 images" in (caught.value.hint or "")
