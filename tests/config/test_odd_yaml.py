"""Any text is a configuration or a list of faults, each with its place on one line; 1,000 in `make prove`."""

import time
from pathlib import Path

import pytest

from facemon.errors import ExitCode
from tests.config.config_files import faults_of
from tests.conftest import RunFacemon
from tests.fuzz.odd_yaml import has_place, sampled, why_refused

SEED = 17
COUNT = 250


def test_odd_texts_have_faults_with_places() -> None:
    for text in sampled(COUNT, SEED):
        for line in (why_refused(text) or "").split("\n"):
            assert not line or has_place(line), (line, text)
            assert line.isprintable()
            assert len(line) < 4000


def test_some_odd_texts_are_configurations() -> None:
    assert sum(why_refused(text) is None for text in sampled(COUNT, SEED)) > COUNT // 100


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("version: 0x" + "f" * 4000, "1:10: version: is a number with more digits than any value here has"),
        ("version: 9223372036854775808", "1:10: version: is a number with more digits than any value here has"),
        ("version: " + "1:" * 100_000 + "1", "1:10: version: is a number with more digits than any value here has"),
        ("version: 2026-13-45", "1:10: version: looks like a number or a date, but is not a valid one"),
        ("store: {retention_days: 36501}", "1:25: store.retention_days: is 36501, must be at most 36500"),
        ('store: {path: "a\\0b"}', "1:15: store.path: holds the character NUL, which no path and no command line can"),
        ("drift: {on_drift_timeout: 30d}", "1:27: drift.on_drift_timeout: must be at most 1d"),
        ("api: {timeout: 2d}", "1:16: api.timeout: must be at most 1d"),
        ("predict: {threads: 100000}", "1:20: predict.threads: is 100000, must be at most 1024"),
        ("predict: {max_bytes: 2000000TiB}", "1:22: predict.max_bytes: '2000000TiB' is more than any file holds"),
        ("predict: {max_bytes: " + "9" * 30 + "GiB}", f"1:22: predict.max_bytes: '{'9' * 30}GiB' is more than any"),
        ("drift: {window: " + "9" * 5000 + "d}", f"1:17: drift.window: '{'9' * 60}…' is not a duration"),
        ("api: {tokens_file: \"a\\0b\"}", "1:20: api.tokens_file: holds the character NUL"),
        ("model: {bundle: " + "x" * 100_000 + "}", "1:17: model.bundle: is 'xxx"),
        ("\n".join(f"k{number}: 1" for number in range(60_000)), "50000:9: holds more than 100000 keys and values"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("empty_folder")
def test_values_that_would_overflow_later_are_faults(text: str, fault: str) -> None:
    (found,) = faults_of(text)
    assert found.startswith(fault)
    assert len(found) < 1500


@pytest.mark.usefixtures("empty_folder")
def test_of_thousands_of_faults_the_first_are_told() -> None:
    found = faults_of("".join(f"k{number}: 1\n" for number in range(2000)))
    assert len(found) == 51
    assert found[-1] == " and 1,950 faults more"


def test_numbers_of_base_60_are_read_in_linear_time() -> None:
    def least_work(digits: int) -> float:
        text, took = "version: " + "1:" * digits + "1", list[float]()
        for _ in range(2):
            began = time.process_time()
            why_refused(text)
            took.append(time.process_time() - began)
        return min(took)

    least_work(1)
    # Sixteen times as long, if it is linear; 256 times, if each digit is multiplied with all before it.
    assert least_work(1_600_000) < 64 * least_work(100_000)


@pytest.mark.slow
def test_values_on_the_command_line_that_would_overflow(facemon: RunFacemon, tmp_path: Path) -> None:
    many = "9" * 5000
    for arguments in (
        ["predict", "a.jpg", "--max-failures", many],
        ["predict", "a.jpg", "--max-failures", f"{many}%"],
        ["predict", "a.jpg", "--threads", "99999999"],
        ["predict", "a.jpg", "--source", many],
        ["predict", "a.jpg", "--source", "a\nb"],
        ["drift-check", "--since", f"{many}d"],
        ["drift-check", "--min-rows", many],
        ["drift-check", "--data-threshold", "nan"],
        ["store", "prune", "--days", "36501"],
        ["serve", "--workers", "99999999"],
        ["serve", "--listen", f"127.0.0.1:{many}"],
    ):
        answer = facemon(*arguments, cwd=tmp_path)
        assert answer.returncode == ExitCode.USAGE, (arguments, answer.stderr[:200])
        assert "failed unexpectedly" not in answer.stderr
