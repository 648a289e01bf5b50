"""`facemon config` through the installed command: check, schema, show."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import RunFacemon
from tests.patience import HANG_S

FAULTY = "version: 1\nstore:\n  retention_day: 3\ndrift: {windw: 24h, min_rows: x}\n"
FAULTS = (
    "facemon.yaml:3:3: store.retention_day: unknown key; did you mean retention_days?",
    "facemon.yaml:4:9: drift.windw: unknown key; did you mean window?",
    "facemon.yaml:4:31: drift.min_rows: is text, must be a whole number",
)
RIGHT = """\
version: 1
store: {path: log}
drift:
  window: 48h
stack: {for: textfile}
alertmanager:
  receivers:
    - name: team
      slack: [{api_url_file: secrets/a-secret-pasted-here, channel: "#alerts"}]
"""


def test_each_fault_has_its_line_and_the_nearest_key(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text(FAULTY)
    answer = facemon("config", "check", cwd=tmp_path)
    assert (answer.returncode, answer.stdout.splitlines()) == (2, list(FAULTS))
    assert answer.stderr == "3 faults in facemon.yaml\n"
    quiet = facemon("-q", "config", "check", cwd=tmp_path)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (2, answer.stdout, "")


def test_faults_for_programs(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text(FAULTY)
    answer = facemon("config", "check", "--format", "json", cwd=tmp_path)
    found = json.loads(answer.stdout)
    assert (answer.returncode, found["schema"], found["file"]) == (2, "facemon.config-check/1", "facemon.yaml")
    assert found["faults"][0] == {
        "line": 3, "column": 3, "key": "store.retention_day", "message": "unknown key",
        "hint": "did you mean retention_days?",
    }  # fmt: skip
    assert [fault["hint"] for fault in found["faults"]][2] is None
    annotated = facemon("config", "check", "--format", "github", cwd=tmp_path).stdout.splitlines()
    assert annotated[0] == (
        "::error file=facemon.yaml,line=3,col=3,title=store.retention_day::unknown key; did you mean retention_days?"
    )
    assert len(annotated) == 3


TYPOS = """\
tables:
  columns: {gneder: sex, age: years, age_confidence: sure}
  values: {agee: {0: "3-5"}}
  kinds: {site: categorical}
drift:
  columns:
    gneder: {threshold: 0.1}
    gender_accuracy: {threshold: 0.1}
    image_size: {threshold: 0.1}
    site: {threshold: 0.1}
    years: {threshold: 0.1}
    weather: {threshold: 0.1}
"""


def test_keys_that_name_no_attribute_are_notes(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text(TYPOS)
    answer = facemon("config", "check", cwd=tmp_path)
    unused = "the model has no such attribute, so the key has no effect"
    other = "neither the log nor the model has such a column, so the threshold is used for tables alone"
    kinds = "tables.kinds says of a column of tables what it holds"
    assert (answer.returncode, answer.stdout) == (0, "")
    assert answer.stderr.splitlines() == [
        "facemon.yaml is right: 11 values, all others are defaults",
        f"note: facemon.yaml:2:21: tables.columns.gneder: {unused}; did you mean gender?",
        f"note: facemon.yaml:3:18: tables.values.agee: {unused}; did you mean age?",
        f"note: facemon.yaml:7:13: drift.columns.gneder: {other}; did you mean gender? {kinds}",
        f"note: facemon.yaml:11:12: drift.columns.years: {other}; did you mean age? {kinds}",
        f"note: facemon.yaml:12:14: drift.columns.weather: {other}; {kinds}",
    ]
    found = json.loads(facemon("config", "check", "--format", "json", cwd=tmp_path).stdout)
    assert (found["faults"], [note["key"] for note in found["notes"]][:2]) == (
        [], ["tables.columns.gneder", "tables.values.agee"],
    )  # fmt: skip
    annotated = facemon("config", "check", "--format", "github", cwd=tmp_path).stdout.splitlines()
    assert len(annotated) == 5
    assert annotated[0].startswith("::warning file=facemon.yaml,line=2,col=21,title=tables.columns.gneder::the model")


def test_a_right_file_is_said_to_be_right_and_nothing_that_it_names_is_opened(
    facemon: RunFacemon, tmp_path: Path
) -> None:
    (tmp_path / "facemon.yaml").write_text(RIGHT)
    answer = facemon("config", "check", cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, "")
    assert answer.stderr == "facemon.yaml is right: 7 values, all others are defaults\n"
    found = json.loads(facemon("config", "check", "facemon.yaml", "--format", "json", cwd=tmp_path).stdout)
    assert (found["faults"], found["values"]) == ([], 7)
    assert facemon("config", "check", "--format", "github", cwd=tmp_path).stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["facemon.yaml"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("config", "check"), "facemon.yaml: no such file"),
        (("config", "check", "other.yaml"), "other.yaml: no such file"),
        (("-c", "a.yaml", "config", "check", "b.yaml"), "b.yaml and --config a.yaml both name a file"),
        (("config", "check", "."), "is a directory"),
        (("config", "show", "drift.windo"), "drift has no windo\n  hint: did you mean window?"),
        (("config", "show", "nope"), "no nope\n  hint: facemon config show prints what there is"),
        (("config", "show", "drift.nope"), "no nope\n  hint: facemon config show drift prints what there is"),
        (("config", "show", "schedule.export.textfile"), "schedule.export is unset"),
        (("config", "show", "exporter.probes[0]"), "exporter.probes has no 0"),
        (("config", "show", "drift window"), "is not a key"),
    ],
)
def test_what_there_is_not_is_a_wrong_usage(
    facemon: RunFacemon, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    answer = facemon(*arguments, cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert said in answer.stderr


def test_each_value_has_its_origin_and_secrets_are_hidden(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text(RIGHT)
    answer = facemon("config", "show", "--origin", cwd=tmp_path, env={"FACEMON_SERVE_LISTEN": "127.0.0.1:1"})
    first, *lines = answer.stdout.splitlines()
    assert "FACEMON_SERVE_LISTEN from the environment" in first
    shown = {" ".join(line.split()) for line in lines}
    assert {
        f"path: {tmp_path}/log # facemon.yaml:2", "window: 2d # facemon.yaml:4", "for: textfile # facemon.yaml:5",
        "store_metrics_from: textfile # stack.for", "widen_to: 14d # default", "bundle: age-gender # default",
        '- api_url_file: "<hidden>" # facemon.yaml:9', "threads: null # default",
    } <= shown  # fmt: skip
    for format_ in ("text", "json"):
        assert "pasted" not in facemon("config", "show", "--format", format_, cwd=tmp_path).stdout
    found = json.loads(facemon("config", "show", "drift", "--origin", "--format", "json", cwd=tmp_path).stdout)
    assert (found["schema"], found["key"], found["value"]["window"]) == ("facemon.config/1", "drift", "2d")
    assert (found["origins"]["drift.window"], found["origins"]["drift.widen_to"]) == ("facemon.yaml:4", "default")
    assert facemon("config", "show", "alertmanager.receivers[0].name", cwd=tmp_path).stdout == "team\n"


def test_a_configuration_from_a_pipe_has_its_origins_too(facemon: RunFacemon, tmp_path: Path) -> None:
    answer = facemon("-c", "/dev/stdin", "config", "show", "--origin", cwd=tmp_path, stdin=RIGHT)
    store = facemon("-c", "/dev/stdin", "config", "show", "store.path", cwd=tmp_path, stdin=RIGHT)
    assert store.stdout == f"{tmp_path / 'log'}\n", "relative paths of a pipe begin in the current folder"
    shown = {" ".join(line.split()) for line in answer.stdout.splitlines()}
    assert {"window: 2d # /dev/stdin:4", '- api_url_file: "<hidden>" # /dev/stdin:9'} <= shown


def test_the_schema_is_written_and_replaces_only_itself(facemon: RunFacemon, tmp_path: Path) -> None:
    printed = facemon("config", "schema", cwd=tmp_path)
    written = facemon("config", "schema", "-o", "s.json", cwd=tmp_path)
    assert (printed.returncode, written.returncode, written.stdout) == (0, 0, "")
    assert (tmp_path / "s.json").read_text() == printed.stdout
    assert facemon("config", "schema", "-o", "s.json", cwd=tmp_path).returncode == 0
    (tmp_path / "s.json").write_text('{"mine": true}')
    refused = facemon("config", "schema", "-o", "s.json", cwd=tmp_path)
    assert refused.returncode == 2
    assert "s.json exists, and is not a schema that facemon wrote" in refused.stderr
    assert (tmp_path / "s.json").read_text() == '{"mine": true}'
    assert facemon("config", "schema", "-o", "none/s.json", cwd=tmp_path).returncode == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("config", "schema", "-o", "/dev/stdout"), 2, "/dev/stdout is not a regular file"),
        (("config", "schema", "-o", "pipe"), 2, "pipe is not a regular file"),
        (("config", "schema", "-o", "no ne/s.json"), 1, "mkdir -p 'no ne'"),
        (("init", "--force", "-o", "."), 2, ". is not a regular file"),
        (("init", "--force", "-o", "/dev/stdout"), 2, "-o - writes to stdout"),
        (("init", "-o", "facemon.schema.json"), 2, "is the name of the schema"),
        (("init", "-o", "loop"), 1, "loop cannot be written"),
    ],
)
def test_where_no_file_can_be_is_a_fault_that_names_the_remedy(
    facemon: RunFacemon, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    answer = facemon(*arguments, cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (code, "")
    assert said in answer.stderr
    assert "hint: " in answer.stderr
    assert not (tmp_path / "facemon.yaml").exists()


def test_a_file_that_is_replaced_keeps_its_link_and_permissions(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/real.yaml").write_text("version: 1\n")
    (tmp_path / "kept/real.yaml").chmod(0o640)
    (tmp_path / "facemon.yaml").symlink_to("kept/real.yaml")
    assert facemon("init", "--force", cwd=tmp_path).returncode == 0
    assert (tmp_path / "facemon.yaml").is_symlink()
    assert "bundle: age-gender" in (tmp_path / "kept/real.yaml").read_text()
    assert (tmp_path / "kept/real.yaml").stat().st_mode & 0o777 == 0o640


def test_a_configuration_stays_when_its_successor_cannot_be_written(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text("version: 1\n")
    limited = ["bash", "-c", 'ulimit -f 0; exec "$0" init --force', str(Path(sys.executable).with_name("facemon"))]
    answer = subprocess.run(limited, cwd=tmp_path, capture_output=True, text=True, timeout=HANG_S, check=False)
    assert answer.returncode == 1, answer.stderr
    assert "cannot be written: file too large" in answer.stderr
    assert (tmp_path / "facemon.yaml").read_text() == "version: 1\n"
