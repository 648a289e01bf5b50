"""The file for /etc/cron.d, read as cron reads it, and its line run by the shell that it names."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given

from facemon.errors import ConfigError
from facemon.render.schedules.place import Place
from tests.render.crontab_reader import Cron, read, read_jobs
from tests.render.github_runner import install
from tests.render.scheduled import FOLDERS, ODD, WORDS, rendered, scheduled
from tests.render.shellcheck import faults

TRACE = """\
#!/bin/sh
echo "$*|$FACEMON_CONFIG" >> {folder}/called
echo "some trouble" >&2
exit {code}
"""
LOGGER = '#!/bin/sh\nsed "s/^/$*: /" >> {folder}/logged\n'


def run(cron: Cron, folder: Path, code: int, held: bool = False) -> subprocess.CompletedProcess[str]:
    """Run the line as cron would, with a facemon that ends with this code and a logger that writes to a file."""
    for name, script in (("facemon", TRACE), ("logger", LOGGER)):
        install(folder / name, script.format(folder=folder, code=code))
    variables = cron.variables | {"PATH": f"{folder}{os.pathsep}{cron.variables['PATH']}"}
    command = [variables["SHELL"], "-c", cron.command]
    if held:
        command = ["flock", "--close", variables["FACEMON_CONFIG"], *command]
    return subprocess.run(command, env=variables, cwd="/", capture_output=True, text=True, check=False)


@given(FOLDERS)
def test_every_path_is_read_back(folder: str) -> None:
    config = scheduled("cron", directory=folder, command=f"{folder}/bin/facemon")
    cron = read(rendered(config)["facemon"])
    assert cron.variables["FACEMON_CONFIG"] == Place.of(config).config_file
    assert cron.variables["FACEMON"] == f"{folder}/bin/facemon"


def test_times_and_user_are_those_of_the_configuration() -> None:
    cron = read(rendered(scheduled("cron", drift_check="5,35 0-6/2 1 * *", user="ml_ops"))["facemon"])
    assert (cron.times, cron.user) == ("5,35 0-6/2 1 * *", "ml_ops")
    assert cron.variables["CRON_TZ"] == "UTC"


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4])
def test_the_line_ends_with_the_checks_own_code_and_its_words_are_mailed_and_logged(code: int, tmp_path: Path) -> None:
    place = tmp_path / ODD.removeprefix("/srv/")
    place.mkdir()
    (place / "facemon.yaml").touch()
    cron = read(rendered(scheduled("cron", directory=str(place)))["facemon"])
    outcome = run(cron, tmp_path, code)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (code, "some trouble\n", "")
    assert (tmp_path / "called").read_text() == f"drift-check|{place}/facemon.yaml\n"
    assert (tmp_path / "logged").read_text() == "--tag facemon-drift-check: some trouble\n"


def test_a_check_that_overlaps_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").touch()
    cron = read(rendered(scheduled("cron", directory=str(tmp_path)))["facemon"])
    assert run(cron, tmp_path, 0, held=True).returncode == 75
    assert not (tmp_path / "called").exists()


@given(WORDS)
def test_exports_get_their_options_by_variables(word: str) -> None:
    export = {"times": "*/20 * * * *", "textfile": f"/srv/{word}/f.prom"}
    check, exports = read_jobs(rendered(scheduled("cron", export=export, user="ml"))["facemon"])
    assert "drift-check" in check.command
    assert (exports.times, exports.user) == ("*/20 * * * *", "ml")
    assert exports.variables["FACEMON_EXPORT_METRICS_TEXTFILE"] == f"/srv/{word}/f.prom"
    assert "export-metrics 2>&1" in exports.command


@pytest.mark.parametrize("code", [0, 1])
def test_the_line_of_exports_ends_with_their_own_code(code: int, tmp_path: Path) -> None:
    export = {"pushgateway": "http://push.example/a%20b", "user": "o'n \"x", "password_file": "/etc/x y"}
    cron = read_jobs(rendered(scheduled("cron", export=export))["facemon"])[1]
    outcome = run(cron, tmp_path, code)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (code, "some trouble\n", "")
    assert (tmp_path / "called").read_text() == "export-metrics|/srv/faces/facemon.yaml\n"
    assert (tmp_path / "logged").read_text() == "--tag facemon-export-metrics: some trouble\n"


def test_a_path_that_cron_cannot_hold_is_refused() -> None:
    for folder in ("/srv/" + "x" * 990, "/srv/ü" * 200):
        with pytest.raises(ConfigError, match="cron cannot hold"):
            rendered(scheduled("cron", directory=folder))
    with pytest.raises(ConfigError, match="cron cannot hold"):
        rendered(scheduled("cron", command='/opt/it\'s "it" '))
    with pytest.raises(ConfigError, match="cron cannot name the path"):
        rendered(scheduled("cron", store="/srv/a\nb"))


def test_shellcheck_finds_nothing_in_the_line(linters: Path) -> None:
    command = read(rendered(scheduled("cron"))["facemon"]).command
    assert faults(command, linters) == ""
    assert "SC2086" in faults(command.replace('"$FACEMON"', "$FACEMON"), linters)
