"""On one store, each command's JSON is what `facemon.Monitor` answers: both call the same use case."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pytest

from facemon import Monitor
from facemon.domain.times import format_time
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.every_command import single_commands
from tests.recent_hours import HOUR, hours_of_one_date

DAY = timedelta(days=1)
# So long ago that no rate of images goes by the present.
A_DAY = hours_of_one_date(24, ago=60 * DAY)
SINCE, UNTIL = A_DAY, A_DAY + DAY - HOUR
NAMES = ("gate", "yard")


def logged(first: int, count: int, at: datetime, share_of_a: float) -> list[dict[str, Any]]:
    return [
        {
            "image": f"{number}.jpg",
            "hair": "a" if number % 100 < 100 * share_of_a else "b",
            "hair_confidence": 0.6 + number % 40 / 100,
            "source": NAMES[number % 2],
            "observed_at": at + timedelta(minutes=number % 600),
            "image_brightness": 0.3 + number % 37 / 100,
        }
        for number in range(first, first + count)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a day that two references are made of, a day with other labels, a check of record, and labels."""
    folder = tmp_path_factory.mktemp("one_store")
    write_small_model(folder, "evaluate: {min_labels: 5}\ndrift: {evidently: {when: never}}\n")
    monitor = Monitor(folder / "facemon.yaml")
    monitor.log(logged(0, 800, A_DAY - DAY, 0.5))
    monitor.log(logged(800, 800, A_DAY, 0.9))
    before = (A_DAY - DAY).isoformat()
    monitor.set_reference_window(before, A_DAY - 15 * HOUR, name="morning")
    monitor.set_reference_window(before, A_DAY, name="day", note="a good day")
    monitor.check_window(SINCE, UNTIL, record=True)
    labels = "".join(f"{number}.jpg,{'ab'[number % 3 == 0]}\n" for number in range(0, 400, 7))
    (folder / "labels.csv").write_text("image,hair\n" + labels)
    return folder


def rows_of(table: pa.Table, *columns: str) -> list[dict[str, Any]]:
    """Some columns of rows, as the command's JSON has them."""

    def shown(value: Any) -> Any:
        if isinstance(value, datetime):
            return format_time(value)
        if isinstance(value, dict):
            return {name: shown(each) for name, each in value.items()}
        return float(f"{value:.7g}") if isinstance(value, float) else value

    return [{name: shown(value) for name, value in row.items()} for row in table.select(columns).to_pylist()]


Answer = Callable[[Monitor, Path], Any]
WINDOW = ("--since", SINCE.isoformat(), "--until", UNTIL.isoformat())
COMMANDS: Mapping[str, tuple[tuple[str, ...], Answer]] = {
    "drift-check": (
        ("--format", "json", "--no-record", "--reference", "day", *WINDOW),
        lambda monitor, _: monitor.check_window(SINCE, UNTIL, reference="day", record=False).document(),
    ),
    "drift-check by source": (
        ("--format", "json", *WINDOW, "--by", "source"),
        lambda monitor, _: monitor.check_window(SINCE, UNTIL, by_source=True).document(),
    ),
    "drift-check of one source": (
        ("--format", "json", *WINDOW, "--source", "gate", "--check", "model"),
        lambda monitor, _: monitor.check_window(SINCE, UNTIL, source="gate", check="model").document(),
    ),
    "drift-check explained": (
        ("--format", "json", "--explain", "hair"),
        lambda monitor, _: [each.document() for each in monitor.explain_check("hair")],
    ),
    "drift-check of the past": (
        ("--history", "--format", "json"),
        lambda monitor, _: [each.document() for each in monitor.history()],
    ),
    "reference show": (
        ("day", "--format", "json"),
        lambda monitor, _: monitor.describe_reference("day").document(),
    ),
    "reference diff": (
        ("morning", "day", "--format", "json"),
        lambda monitor, _: monitor.compare_references("morning", "day").document(),
    ),
    "evaluate": (
        ("labels.csv", "--by", "source", "--format", "json"),
        lambda monitor, folder: monitor.evaluate(folder / "labels.csv", by_source=True).document(),
    ),
    "log": (
        (
            "--where",
            "hair=b",
            "--source",
            "gate",
            "--confidence-below",
            "0.73",
            "--limit",
            "9",
            "--since",
            SINCE.isoformat(),
        ),
        lambda monitor, _: rows_of(
            monitor.rows(SINCE, where="hair=b", source="gate", confidence_below=0.73, limit=9), "image", "observed_at"
        ),
    ),
    "log by labels": (
        ("--worst", "5", "--labels", "labels.csv", "--until", UNTIL.isoformat()),
        lambda monitor, folder: rows_of(
            monitor.rows(until=UNTIL, worst=5, labels=folder / "labels.csv"), "image", "worst"
        ),
    ),
    "log by features": (
        ("--unusual", "5", "--image", "9*.jpg"),
        lambda monitor, _: rows_of(monitor.rows(unusual=5, image="9*.jpg"), "image", "unusual"),
    ),
    "export-metrics": ((), lambda monitor, _: monitor.export_metrics()),
    "export-metrics of drift": (("--export", "drift"), lambda monitor, _: monitor.export_metrics(export="drift")),
    "metrics": (("--format", "json"), lambda monitor, _: monitor.metric_values().document()),
    "model show": (("--format", "json"), lambda monitor, _: monitor.describe_model().document()),
    "explain": (("gate", "--format", "json"), lambda monitor, _: monitor.explain("gate")),
    "store info": (("--json",), lambda monitor, _: monitor.store_info()),
}
"""By the command and what is particular of the line: its options, and what Python answers."""
ELSEWHERE = {
    "predict": "test_monitor.py",
    "reference set": "above, and test_compared_rows.py",
    "reference list": "below",
    "store verify": "below",
    "render-config": "below",
    "report": "below",
}
ONLY_COMMANDS = {
    "config check", "config schema", "config show", "doctor", "init", "manifest", "serve", "serve-metrics",
    "model check", "reference rm", "store backup", "store compact", "store prune", "store repair", "store recover",
    "store collect", "store deliver", "store clock",
}  # fmt: skip
"""What is done to a configuration or to a store, not asked of them, stays on the command line.

So does `doctor`, which looks at a machine.
"""


def words_of(line: str) -> list[str]:
    return re.split(r" by | of | explained", line)[0].split()


def without_times(answer: Any) -> Any:
    """An answer without what differs from one call to the next: when it was made, and how many calls there were."""
    if isinstance(answer, Mapping):
        named = str(answer.get("name", ""))
        volatile = {"at", "bytes"} | ({"value", "series"} if "command" in named or "files" in named else set())
        return {key: without_times(each) for key, each in answer.items() if key not in volatile}
    if isinstance(answer, list | tuple):
        return [without_times(each) for each in answer]
    if isinstance(answer, str) and answer.startswith("#"):
        return [line for line in answer.splitlines() if 'command="' not in line and "store_size" not in line]
    return answer


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_says_what_monitor_answers(
    line: str, folder: Path, facemon: RunFacemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, answer = COMMANDS[line]
    monkeypatch.chdir(folder)
    ran = facemon(*words_of(line), *options, cwd=folder)
    assert ran.returncode in (0, 3, 4), ran.stderr
    said: Any = ran.stdout if line.startswith("export") else [json.loads(each) for each in documents(ran.stdout)]
    known = answer(Monitor(), folder)
    if line.startswith("log"):
        assert len(known) >= 3
        said = [{name: each[name] for name in known[0]} for each in said]
    told = known if isinstance(known, str) else json.loads(json.dumps(known))
    assert without_times(said) == without_times(told if isinstance(told, str | list) else [told])


def documents(text: str) -> list[str]:
    """The objects of an output: one, which may be indented, or one on each line."""
    return [text] if text.startswith("{\n") else text.splitlines()


def test_lists_and_proofs(folder: Path, facemon: RunFacemon) -> None:
    monitor = Monitor(folder / "facemon.yaml")
    listed = facemon("reference", "list", cwd=folder).stdout.splitlines()[1:]
    assert [each.split()[0] for each in listed] == [each.name for each in monitor.references()] == ["day", "morning"]
    proven = monitor.verify_store()
    assert (proven.problems, proven.rows) == ((), 1600)
    assert f"{proven.rows} rows in {proven.segments} segments" in facemon("store", "verify", cwd=folder).stdout


def test_the_stack_is_the_same(folder: Path, facemon: RunFacemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert facemon("render-config", "-q", "--out", "one", "--for", "existing", cwd=folder).returncode == 0
    written = Monitor().render_config("other", purpose="existing")
    texts = [{path: (folder / out / path).read_bytes() for path in written} for out in ("one", "other")]
    assert len(written) > 20
    assert texts[0] == texts[1]
    assert Monitor().render_config("other", purpose="existing") == ()


def test_the_report_is_the_same(folder: Path, facemon: RunFacemon) -> None:
    assert facemon("report", "-q", "-o", "one.html", *WINDOW, cwd=folder).returncode == 0
    other = Monitor(folder / "facemon.yaml").report(folder / "other.html", since=SINCE, until=UNTIL)
    pages = [re.sub(r"(?:made| \S+) at [\d: -]+ UTC", "", each.read_text()) for each in (folder / "one.html", other)]
    assert pages[0] == pages[1]


def test_labels_in_memory_say_what_their_file_says(folder: Path) -> None:
    monitor = Monitor(folder / "facemon.yaml")
    of_file, of_rows = (
        without_times(monitor.evaluate(labels).document())
        for labels in (folder / "labels.csv", pyarrow.csv.read_csv(folder / "labels.csv"))
    )
    assert of_rows == of_file
    assert of_file["labels"]


def test_every_command_is_accounted_for() -> None:
    names = {" ".join(words_of(line)) for line in COMMANDS} | set(ELSEWHERE) | ONLY_COMMANDS
    assert names == {" ".join(words) for words, _ in single_commands()}
