"""`facemon config` through the installed command: check, schema, show."""

import json
from pathlib import Path

import pytest

from tests.conftest import RunFacemon

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


def test_the_schema_is_written_and_replaces_only_itself(facemon: RunFacemon, tmp_path: Path) -> None:
    printed = facemon("config", "schema", cwd=tmp_path)
    written = facemon("config", "schema", "-o", "s.json", cwd=tmp_path)
    assert (printed.returncode, written.returncode, written.stdout) == (0, 0, "")
    assert (tmp_path / "s.json").read_text() == printed.stdout
    assert facemon("config", "schema", "-o", "s.json", cwd=tmp_path).returncode == 0
    (tmp_path / "s.json").write_text('{"mine": true}')
    refused = facemon("config", "schema", "-o", "s.json", cwd=tmp_path)
    assert refused.returncode == 2
    assert "s.json is there already, and holds no schema of facemon's" in refused.stderr
    assert (tmp_path / "s.json").read_text() == '{"mine": true}'
    assert facemon("config", "schema", "-o", "none/s.json", cwd=tmp_path).returncode == 1
