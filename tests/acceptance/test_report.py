"""`facemon report`: the page of a period from the ledger alone, which it leaves as it is."""

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from facemon import Monitor
from facemon.store.compaction import compact
from facemon.store.ledger.opening import open_ledger
from tests.acceptance.reported_month import DAY, SOURCES, write_month
from tests.conftest import RunFacemon
from tests.reports.page_outline import Outline

END = datetime(2026, 3, 1, tzinfo=UTC)
WHOLE = ("--since", (END - 30 * DAY).isoformat(), "--until", END.isoformat())
_HASH = re.compile(r"<code>([0-9a-f]{64})</code>")
_MADE = re.compile(r"(?:made at|Made by facemon \S+ at) [\d: -]+ UTC")


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("month")
    write_month(folder, END)
    return folder


@pytest.fixture
def folder(month: Path, tmp_path: Path) -> Path:
    """A copy of the month for a test that changes it."""
    return shutil.copytree(month, tmp_path / "month")


def hash_of(page: str) -> str:
    (found,) = _HASH.findall(page)
    return str(found)


def text_of(path: Path) -> str:
    return " ".join(" ".join(Outline(path.read_text()).text).split())


def report_of(folder: Path, since: datetime = END - 30 * DAY, until: datetime = END) -> str:
    return Monitor(folder / "facemon.yaml").report(folder / "page.html", since=since, until=until).read_text()


def test_the_page_has_the_month(month: Path, facemon: RunFacemon, tmp_path: Path) -> None:
    ran = facemon("report", "-o", str(tmp_path / "page.html"), *WHOLE, cwd=month)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", f"report: {tmp_path / 'page.html'}\n")
    text = text_of(tmp_path / "page.html")
    for said in (
        "small@1: 2026-01-30 to 2026-03-01", "6,960", SOURCES[2], "reference first days after the new lens",
        "hair_confidence (model check)", "yard: no rows in the window of the last check", "mean luma, 0 to 1",
        "What the checks need to decide", "share of faces, %", "45 26 57.8% 43.3% to 71.0%", "model small@1",
    ):  # fmt: skip
        assert said in text, said


def test_the_default_page_lies_in_the_store(folder: Path, facemon: RunFacemon) -> None:
    ran = facemon("report", *WHOLE, cwd=folder)
    assert ran.stderr.endswith("reports/report.html\n")
    assert (folder / ".facemon" / "reports" / "report.html").is_file()


def test_the_ledger_is_only_read(folder: Path) -> None:
    def content() -> dict[str, bytes]:
        with open_ledger(folder / ".facemon") as ledger, ledger.reading():
            return {"size": repr(ledger.size()).encode(), "stamp": repr(ledger.stamps.newest()).encode()}

    ledger, before = folder / ".facemon" / "ledger.sqlite", content()
    bytes_before = ledger.read_bytes()
    report_of(folder)
    assert ledger.read_bytes() == bytes_before
    assert content() == before


def test_no_row_is_read(folder: Path) -> None:
    """The page is the same when the files of the log are gone."""
    with open_ledger(folder / ".facemon") as ledger:
        compact(ledger, END + 400 * DAY)
    before = _MADE.sub("", report_of(folder))
    files = list((folder / ".facemon" / "segments").rglob("*.parquet"))
    for file in files:
        file.unlink()
    assert files
    assert _MADE.sub("", report_of(folder)) == before


def _log_late(folder: Path) -> None:
    row = {"image": "late.jpg", "hair": "a", "source": "gate", "observed_at": END - 20 * DAY}
    Monitor(folder / "facemon.yaml").log([row])


def _compact(folder: Path) -> None:
    with open_ledger(folder / ".facemon") as ledger:
        compact(ledger, END + 400 * DAY)


def _set_reference(folder: Path) -> None:
    Monitor(folder / "facemon.yaml").set_reference_window(END - 20 * DAY, END - 10 * DAY, name="another")


def _widen_threshold(folder: Path) -> None:
    configuration = folder / "facemon.yaml"
    configuration.write_text(configuration.read_text().replace("drift: {", "drift: {min_rows: 150, "))


@pytest.mark.parametrize(
    ("change", "is_same"),
    [(_compact, True), (_log_late, False), (_set_reference, False), (_widen_threshold, False)],
)
def test_the_hash_is_that_of_what_the_page_was_made_from(
    folder: Path, change: Callable[[Path], None], is_same: bool
) -> None:
    before = hash_of(report_of(folder))
    change(folder)
    assert (hash_of(report_of(folder)) == before) is is_same


def test_one_source(month: Path, facemon: RunFacemon, tmp_path: Path) -> None:
    page = tmp_path / "gate.html"
    assert facemon("report", "-o", str(page), "--source", "gate", *WHOLE, cwd=month).returncode == 0
    text = text_of(page)
    assert "source gate" in text
    assert "2,400" in text
    assert "yard" not in text
    assert "Evaluations are of all sources" in text


def test_a_source_that_a_check_cannot_decide_is_not_said_to_be_decided(month: Path, tmp_path: Path) -> None:
    """Records keep only the drifted columns of each source, and the yard is silent in the last check."""
    page = Monitor(month / "facemon.yaml").report(
        tmp_path / "yard.html", since=END - 30 * DAY, until=END, source="yard"
    )
    text = text_of(page)
    assert "left no column undecided" not in text
    assert "this source is undecided" in text


@pytest.mark.parametrize("name", [".facemon/ledger.sqlite", "link", "folder/ledger.sqlite", ".facemon/segments/a.html"])
def test_no_file_of_a_store_is_replaced(folder: Path, facemon: RunFacemon, name: str) -> None:
    (folder / "link").symlink_to(folder / ".facemon" / "ledger.sqlite")
    (folder / "folder").symlink_to(folder / ".facemon")
    ran = facemon("report", "-o", name, *WHOLE, cwd=folder)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "whose files must not be replaced" in ran.stderr
    assert facemon("store", "verify", cwd=folder).returncode == 0


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (
            ("--since", "2020-01-01", "--until", "2020-02-01"),
            1,
            "the store has no records of small@1 from 2020-01-01 00:00",
        ),
        (("--source", "cellar"), 2, "the log has no rows of the source 'cellar'\n  hint: it has those of "),
        (("--model", "small@2"), 1, "the log has no rows of the model small@2"),
        (("--since", "soon"), 2, "--since soon: write a duration such as 24h, or a time"),
        (("--since", "2999-01-01", "--until", "2999-02-01"), 2, "begins in the future"),
    ],
)
def test_what_cannot_be_told(month: Path, facemon: RunFacemon, options: tuple[str, ...], code: int, said: str) -> None:
    ran = facemon("report", *options, cwd=month)
    assert (ran.returncode, ran.stdout) == (code, "")
    assert said in ran.stderr
    assert "hint" in ran.stderr or code == 2


def test_a_period_of_cut_hours_takes_them_whole(month: Path) -> None:
    page = report_of(month, since=END - 30 * DAY + timedelta(minutes=59), until=END - timedelta(minutes=59))
    assert hash_of(page) == hash_of(report_of(month))


def test_without_a_store(tmp_path: Path, facemon: RunFacemon) -> None:
    ran = facemon("report", cwd=tmp_path)
    assert ran.returncode == 1
    assert not (tmp_path / ".facemon").exists()


def test_images_are_shown_where_the_file_is_the_one_that_was_predicted(
    folder: Path, facemon: RunFacemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = Monitor(folder / "facemon.yaml")
    names = [f"face-{number}.png" for number in range(3)]
    for number, name in enumerate(names):
        Image.new("RGB", (300, 200), (200, 40 * number, 0)).save(folder / name)
    monkeypatch.chdir(folder)
    monitor.predict(names, source="gate", observed_at=END - timedelta(minutes=1))
    Image.new("RGB", (300, 200), (0, 0, 255)).save(folder / names[1])
    (folder / names[2]).unlink()
    ran = facemon("report", "--images", "-o", "page.html", *WHOLE, cwd=folder)
    assert ran.returncode == 0, ran.stderr
    outline, text = Outline((folder / "page.html").read_text()), text_of(folder / "page.html")
    shown = [values["alt"] for tag, values in outline.elements if tag == "img"]
    assert set(shown) == {names[0]}
    assert f"{names[1]} 2026-02-28 23:59, " in text
    assert "the file has changed" in text
    assert "no such file" in text
    assert "no row of the log was read" not in text
    assert "<img" not in report_of(folder)
