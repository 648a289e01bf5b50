"""The units, judged by systemd-analyze: their syntax, their rights, and when the timer elapses."""

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings

from facemon.config.cron_times import CronTimes
from facemon.errors import ConfigError
from facemon.render.schedules.place import Place
from facemon.render.schedules.systemd_units import on_calendar
from tests.config.crontab_lines import lines, next_moments
from tests.render.scheduled import FOLDERS, PLAIN, rendered, scheduled
from tests.render.unit_reader import unit_value, unit_words
from tests.short_form import examples

BASE = datetime(2026, 1, 1, tzinfo=UTC)
ELAPSE = re.compile(r"(?:Next elapse|Iter\. #\d+): \w+ (\S+ \S+) UTC")


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        stop = pytest.fail if os.environ.get("CI", "").lower() == "true" else pytest.skip
        stop("this machine has no systemd-analyze: it is in Debian's package systemd")
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)


def written(units: dict[str, str], folder: Path) -> list[Path]:
    for name, text in units.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in units]


@pytest.mark.parametrize("hook", [(), ("./retrain.sh",)])
def test_systemd_accepts_the_units_and_calls_their_rights_ok(hook: tuple[str, ...], tmp_path: Path) -> None:
    units = written(rendered(scheduled("systemd", command="/bin/true", hook=hook)), tmp_path)
    verified = analyze("verify", "--man=no", *units)
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")
    security = analyze("security", "--offline=true", "--threshold=25", units[0])
    assert security.returncode == 0, security.stdout


@pytest.mark.parametrize(
    ("export", "writable", "is_private"),
    [
        ({"textfile": "/var/lib/node exporter/f.prom"}, ["-/srv/faces/.facemon", "-/var/lib/node exporter"], True),
        ({"pushgateway": "https://push.example/a%20b", "token_file": "/etc/a b"}, ["-/srv/faces/.facemon"], False),
    ],
)
def test_systemd_accepts_the_units_of_exports(
    export: dict[str, str], writable: list[str], is_private: bool, tmp_path: Path
) -> None:
    texts = rendered(scheduled("systemd", command="/bin/true", export=export))
    units = written({name: text for name, text in texts.items() if "export" in name}, tmp_path)
    verified = analyze("verify", "--man=no", *units)
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")
    unit = texts["facemon-export-metrics.service"]
    options = [word for name, value in export.items() for word in (f"--{name.replace('_', '-')}", value)]
    assert list(unit_words(unit_value(unit, "ExecStart"))) == [
        ":/bin/true", "--config", "/srv/faces/facemon.yaml", "export-metrics", *options
    ]  # fmt: skip
    lines = [line.partition("=")[2] for line in unit.splitlines() if line.startswith("ReadWritePaths=")]
    assert [word for line in lines for word in unit_words(line)] == writable
    assert ("PrivateNetwork=true" in unit) == is_private
    assert unit_value(texts["facemon-export-metrics.timer"], "OnCalendar").endswith("*:00,15,30,45:00 UTC")


def test_systemd_finds_the_command_at_an_odd_path(tmp_path: Path) -> None:
    command = tmp_path / PLAIN.removeprefix("/srv/") / "facemon"
    units = written(rendered(scheduled("systemd", command=str(command))), tmp_path)
    missing = analyze("verify", "--man=no", *units)
    assert (missing.returncode, f"Command {command} is not executable" in missing.stderr) == (1, True)
    command.parent.mkdir()
    command.symlink_to("/bin/true")
    assert analyze("verify", "--man=no", *units).returncode == 0


@given(FOLDERS)
def test_every_path_is_read_back(folder: str) -> None:
    config = scheduled("systemd", directory=folder, command="/opt/a %b/facemon")
    unit, place = rendered(config)["facemon-drift-check.service"], Place.of(config)
    assert list(unit_words(unit_value(unit, "ExecStart"))) == [
        f":{place.command}", "--config", place.config_file, "drift-check"
    ]  # fmt: skip
    assert list(unit_words(unit_value(unit, "ReadWritePaths"))) == [f"-{place.store}"]


@given(lines())
@settings(max_examples=examples(0.5))
def test_the_timer_elapses_when_the_line_comes_due(line: str) -> None:
    count = 6
    calendar = analyze(
        "calendar",
        f"--iterations={count}",
        f"--base-time={BASE:%Y-%m-%d %H:%M:%S} UTC",
        *on_calendar(CronTimes.parse(line)),
    )
    assert calendar.returncode == 0, calendar.stderr
    elapses = {
        datetime.strptime(found, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for found in ELAPSE.findall(calendar.stdout)
    }
    assert sorted(elapses)[:count] == next_moments(line, BASE, count)


@pytest.mark.parametrize(
    ("line", "calendar"),
    [
        ("0 2 * * *", ("*-*-* 02:00:00 UTC",)),
        ("0 2 * * 1-5", ("Mon,Tue,Wed,Thu,Fri *-*-* 02:00:00 UTC",)),
        ("*/30 0 1 1 0", ("*-01-01 00:00,30:00 UTC", "Sun *-01-* 00:00,30:00 UTC")),
        ("0 0 1 * 0-6", ("*-*-01 00:00:00 UTC", "*-*-* 00:00:00 UTC")),
    ],
)
def test_lines_as_systemd_writes_them(line: str, calendar: tuple[str, ...]) -> None:
    assert on_calendar(CronTimes.parse(line)) == calendar


def test_drift_and_undecided_are_no_failures_of_the_unit() -> None:
    unit = rendered(scheduled("systemd", user="ml"))["facemon-drift-check.service"]
    assert (unit_value(unit, "SuccessExitStatus"), unit_value(unit, "Type"), unit_value(unit, "User")) == (
        "3 4",
        "oneshot",
        "ml",
    )


def test_only_a_hook_gets_the_network() -> None:
    quiet, hooked = (
        rendered(scheduled("systemd", hook=hook))["facemon-drift-check.service"] for hook in ((), ("./x",))
    )
    assert "PrivateNetwork=true" in quiet
    assert "PrivateNetwork" not in hooked
    assert "# drift.on_drift runs with these rights too" in hooked


def test_a_path_that_a_unit_cannot_name_is_refused() -> None:
    for command in ('/opt/"x"', "/opt/'x'", "/opt/x\\y"):
        with pytest.raises(ConfigError, match="systemd takes no quotes"):
            rendered(scheduled("systemd", command=command))
    with pytest.raises(ConfigError, match="systemd cannot name the path"):
        rendered(scheduled("systemd", store="/srv/a\nExecStartPre=/bin/x"))
