"""The questions of `facemon init` on a real terminal, and the files that it leaves."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from facemon.application.schema_file import EDITOR_LINE
from facemon.config.json_schema import schema_text
from facemon.config.loader import load_config, parse_config
from facemon.render.purpose import fitted
from facemon.render.stack import render_stack
from tests.acceptance.test_init import write
from tests.conftest import RunFacemon
from tests.patience import HANG_S
from tests.read_yaml import read_yaml

CTRL_C, CTRL_D = "\x03", "\x04"
QUESTIONS = 5


def on_terminal(folder: Path, *arguments: str, answers: Sequence[str] = ()) -> tuple[int, str]:
    """The exit code of the command on a terminal of 80 columns, and what it shows; Enter answers the last questions."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command: list[str | Path] = [Path(sys.executable).with_name("facemon"), *arguments]
    with subprocess.Popen(
        command, cwd=folder, stdin=child, stdout=child, stderr=child, start_new_session=True, env=neutral(),
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - Ctrl-C is for who controls it
    ) as process:  # fmt: skip
        os.close(child)
        shown, left = "", list(answers)
        while part := _read(parent):
            shown += part
            if shown.rstrip(" ").endswith("]:"):
                answer = left.pop(0) if left else ""
                os.write(parent, (answer if answer in (CTRL_C, CTRL_D) else f"{answer}\n").encode())
        code = process.wait(HANG_S)
    os.close(parent)
    return code, shown.replace("\r\n", "\n")


def neutral() -> dict[str, str]:
    return {**os.environ, "TERM": "xterm", "NO_COLOR": "1"}


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 65536).decode("utf-8", "replace")
    except OSError:  # so a terminal ends when its last writer has left
        return ""


@pytest.mark.slow
def test_enter_at_each_question_is_the_file_without_questions(facemon: RunFacemon, tmp_path: Path) -> None:
    asked, unasked, silent = (tmp_path / name for name in ("asked", "unasked", "silent"))
    for folder in (asked, unasked, silent):
        folder.mkdir()
    code, shown = on_terminal(asked, "init", answers=[""] * QUESTIONS)
    assert (code, shown.count("]: \n")) == (0, QUESTIONS), shown
    assert all(len(line) <= 80 for line in shown.splitlines())
    commands = ["facemon predict photos/", "facemon reference set --since 24h", "facemon drift-check"]
    assert [line.strip() for line in shown.splitlines()[-3:]] == commands
    assert "]:" not in on_terminal(unasked, "init", "--yes")[1]
    assert on_terminal(silent, "init", "-q") == (0, "")
    assert facemon("init", "--force", cwd=silent).returncode == 0
    files = [{path.name: path.read_text() for path in folder.iterdir()} for folder in (asked, unasked, silent)]
    assert files[0] == files[1] == files[2]
    assert files[0].keys() == {"facemon.yaml", "facemon.schema.json"}


@pytest.mark.slow
def test_answers_end_in_the_file_and_wrong_ones_are_asked_again(tmp_path: Path) -> None:
    answers = ["age-gendr", "", "s3://faces/", "a lot", "2,000", "slack", "", "", "containers"]
    code, shown = on_terminal(tmp_path, "init", "-o", "my.yaml", answers=answers)
    assert code == 0, shown
    assert "age-gendr: is neither a built-in model nor a file; did you mean age-gender?" in " ".join(shown.split())
    assert "a lot is not a number of images" in shown
    config = load_config(tmp_path / "my.yaml")
    (receiver,) = config.alertmanager.receivers
    assert (config.stack.for_, receiver.slack[0].channel) == ("textfile", "#alerts")
    assert "write the secret into secrets/slack_url" in shown
    assert shown.splitlines()[-3].strip() == "facemon -c my.yaml predict s3://faces/"


@pytest.mark.slow
def test_a_secret_is_asked_for_where_an_existing_alertmanager_reads_it(tmp_path: Path) -> None:
    code, shown = on_terminal(tmp_path, "init", answers=["", "", "", "slack", "", "", "existing"])
    assert code == 0, shown
    config = load_config(tmp_path / "facemon.yaml")
    read = read_yaml(render_stack(fitted(config, tmp_path)).files["monitoring/alertmanager/alertmanager.yml"])
    (slack,) = read["receivers"][1]["slack_configs"]
    assert slack["api_url_file"] == "/run/secrets/slack_url"
    said = "write the secret into /run/secrets/slack_url (stack.secrets_dir), where Alertmanager reads it"
    assert said in " ".join(shown.split())


@pytest.mark.slow
@pytest.mark.parametrize("place", range(QUESTIONS))
@pytest.mark.parametrize(("key", "said"), [(CTRL_C, "interrupted by SIGINT"), (CTRL_D, "the input ended")])
def test_a_question_that_is_left_leaves_no_file(tmp_path: Path, place: int, key: str, said: str) -> None:
    code, shown = on_terminal(tmp_path, "init", answers=[*[""] * place, key])
    assert (code, list(tmp_path.iterdir())) == (130, [])
    assert shown.splitlines()[-1] == f"error: {said}"


@pytest.mark.slow
def test_a_network_is_described_when_it_is_named(tmp_path: Path) -> None:
    write(tmp_path / "net.onnx")
    code, shown = on_terminal(tmp_path, "init", answers=["no.onnx", "net.onnx", "net.onnx", ""])
    assert "no.onnx: cannot be read: no such file" in shown
    assert "net.onnx: is not recognised as a face detector" in shown
    assert code != 0 or load_config(tmp_path / "facemon.yaml").model.name == "net"


@pytest.mark.slow
def test_what_cannot_be_written_is_said_before_the_first_question(tmp_path: Path) -> None:
    (tmp_path / "facemon.yaml").write_text("version: 1\n")
    assert "facemon.yaml is there already" in on_terminal(tmp_path, "init")[1]
    assert "none is not a folder" in on_terminal(tmp_path, "init", "-o", "none/facemon.yaml")[1]
    (tmp_path / "facemon.schema.json").write_text("{}")
    code, shown = on_terminal(tmp_path, "init", "--force")
    assert (code, "facemon.schema.json exists" in shown, "]:" in shown) == (2, True, False)
    assert (tmp_path / "facemon.yaml").read_text() == "version: 1\n"


def test_the_first_line_names_the_schema_beside_the_file(facemon: RunFacemon, tmp_path: Path) -> None:
    (tmp_path / "north").mkdir()
    assert facemon("init", "-o", "north/my.yaml", cwd=tmp_path).returncode == 0
    first = (tmp_path / "north/my.yaml").read_text().splitlines()[0]
    assert f"{first}\n" == EDITOR_LINE
    assert (tmp_path / "north" / first.partition("$schema=")[2]).read_text() == schema_text()
    assert "yaml-language-server" not in facemon("init", "-o", "-", cwd=tmp_path).stdout


def test_all_has_each_key_of_the_schema_and_means_the_same_as_no_file(facemon: RunFacemon, tmp_path: Path) -> None:
    assert facemon("init", "--all", cwd=tmp_path).returncode == 0
    text = (tmp_path / "facemon.yaml").read_text()
    read, defaults = (parse_config(each, name="facemon.yaml", directory=tmp_path) for each in (text, ""))
    assert read == defaults
    first, second = (render_stack(fitted(config, tmp_path)).files for config in (read, defaults))
    assert first == second
    schema = json.loads(schema_text())
    sections = schema["$defs"]
    keys = {key for name in reached(schema, sections) for key in sections[name]["properties"]} | set(
        schema["properties"]
    )
    assert len(keys) > 150
    assert {key for key in keys if not re.search(rf"(?<!\w){key}:", text)} == set()


def reached(section: Any, sections: dict[str, Any]) -> set[str]:
    """The sections that a file with the built-in model can have."""
    found: set[str] = set()
    waiting = [section]
    while waiting:
        at = waiting.pop()
        if isinstance(at, list):
            waiting += at
        elif isinstance(at, dict):
            below = str(at.get("$ref", "")).rpartition("/")[2]
            if below and below not in found and below != "ModelConfig":
                found.add(below)
                waiting.append(sections[below])
            waiting += [each for key, each in at.items() if key != "$defs"]
    return found


def test_all_describes_a_network_of_your_own(facemon: RunFacemon, tmp_path: Path) -> None:
    write(tmp_path / "net.onnx")
    answer = facemon("init", "--all", "--model", "net.onnx", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    config = load_config(tmp_path / "facemon.yaml")
    assert config.model.name == "net"
    assert config.drift == parse_config("", name="f", directory=tmp_path).drift
    assert "model:" in (tmp_path / "facemon.yaml").read_text()
    assert (tmp_path / "facemon.yaml").read_text().count("\nmodel:\n") == 1
