"""The documentation names only commands, options, metrics and modules that there are, and leaves out no command."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from write_docs import pages

from facemon.config.alerts import DEFAULT_ALERTS
from facemon.domain.metric_catalogue import CATALOGUE
from tests.every_command import every_command

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = {
    "init": (),
    "config": ("check", "schema", "show"),
    "manifest": (),
    "predict": (),
    "log": (),
    "evaluate": (),
    "reference": ("set", "list", "show", "diff", "rm"),
    "drift-check": (),
    "export-metrics": (),
    "metrics": (),
    "explain": (),
    "doctor": (),
    "serve-metrics": (),
    "serve": (),
    "render-config": (),
    "report": (),
    "model": ("show", "check"),
    "store": ("info", "verify", "backup", "compact", "prune", "repair", "recover", "collect", "deliver", "clock"),
}
OPTIONAL = str.maketrans("", "", "[]")
"""What stands around parts of a line that may be left out."""
FOREIGN_PREFIXES = ("mlops_", "container_", "node_")


def commands_in(text: str) -> list[list[str]]:
    """The facemon command lines of a document's console, crontab and inline code."""
    lines = re.findall(r"^(?:\$ |[\d*/ ]+ \* )(facemon .*)$", text, flags=re.MULTILINE)
    lines += re.findall(r"`(facemon [a-z][^`]*)`", text)
    return [shlex.split(re.split(r"#|\s\d?[<>&]", line)[0].translate(OPTIONAL))[1:] for line in lines]


DOCUMENTED = [(path.name, words) for path in DOCUMENTS for words in commands_in(path.read_text())]


@cache
def options_of(command: tuple[str, ...]) -> frozenset[str]:
    """The options of a command, as its help lists them."""
    found: Any = every_command()
    for word in command:
        found = found.commands[word]
    parameters = found.get_params(typer.Context(found, help_option_names=["-h", "--help"]))
    return frozenset(name for each in parameters for name in (*each.opts, *each.secondary_opts) if not each.hidden)


@pytest.mark.parametrize("document", [path.name for path in DOCUMENTS])
def test_documented_commands_exist(document: str) -> None:
    assert [fault for name, words in DOCUMENTED if name == document for fault in unknown_in(words)] == []


def unknown_in(words: list[str]) -> Iterator[str]:
    """What a command line names that there is not."""
    place = next(index for index, word in enumerate(words) if word in COMMANDS)
    command: tuple[str, ...] = (words[place],)
    if COMMANDS[words[place]] and place + 1 < len(words):
        if words[place + 1] not in COMMANDS[words[place]]:
            yield f"facemon {' '.join(words)}"
            return
        command = (*command, words[place + 1])
    for part, known in ((words[:place], options_of(())), (words[place:], options_of(command))):
        named = {word.split("=")[0] for word in part if word.startswith("-") and word != "-"}
        yield from (f"facemon {' '.join(words)}: {name}" for name in named - known)
    yield from (f"facemon {' '.join(words)}: {word}" for word in left_over(command, words[place + len(command) :]))


def left_over(command: tuple[str, ...], words: list[str]) -> list[str]:
    """The words of a line that a command takes neither as arguments nor as values of options."""
    found: Any = every_command()
    for word in command:
        found = found.commands[word]
    if hasattr(found, "commands"):
        return words
    with_value = {name for each in found.params if not getattr(each, "is_flag", False) for name in each.opts}
    # A text may name an option without its value, as `facemon init --model` does.
    given = [*words, "VALUE"] if words and words[-1] in with_value else list(words)
    return list(found.make_parser(typer.Context(found)).parse_args(args=given)[1])


def test_an_argument_that_a_command_does_not_take_is_noticed() -> None:
    assert list(unknown_in(["init", "faces.onnx"])) == ["facemon init faces.onnx: faces.onnx"]
    assert list(unknown_in(["init", "--model", "faces.onnx"])) == []
    assert list(unknown_in(["-q", "init", "--model"])) == []
    assert list(unknown_in(["store", "backup", "a.tar", "b.tar"])) == ["facemon store backup a.tar b.tar: b.tar"]


def test_every_command_is_documented() -> None:
    assert {name for name, command in every_command().commands.items() if not command.hidden} == set(COMMANDS)
    documented = [words for _, words in DOCUMENTED]
    for command, parts in COMMANDS.items():
        for part in parts or (None,):
            assert any(command in words and (part is None or part in words) for words in documented), (command, part)


def test_documented_metrics_exist() -> None:
    text = "\n".join(path.read_text() for path in DOCUMENTS)
    named = set(re.findall(r"`((?:api|model|drift|images|facemon)_[a-z_]+)`", text))
    known = {name.removesuffix(suffix) for name in CATALOGUE for suffix in ("", "_total")} | set(CATALOGUE)
    assert named <= known
    assert len(named) > 5


def test_each_alert_is_in_a_table_with_its_severity() -> None:
    page = (ROOT / "docs" / "how-to" / "alerts.md").read_text("utf-8")
    rows = [re.split(r" *\| *", row.strip("| ")) for row in page.splitlines() if row.startswith("| ")]
    documented = {name: row[-1] for row in rows for cell in row[:2] for name in cell.split(", ")}
    severities = {name: alert.severity for name, alert in DEFAULT_ALERTS.items()}
    assert {name: documented.get(name) for name in severities} == severities


def test_links_lead_somewhere() -> None:
    for path in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_pages_that_are_made_from_the_code_are_as_it_makes_them() -> None:
    for path, text in pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: make docs writes it anew"


def test_every_test_that_the_documentation_names_is_there() -> None:
    there = [path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py")]
    named = [
        (path.name, name)
        for path in DOCUMENTS
        for name in re.findall(r"`((?:tests/)?[\w/]*test_\w+\.py)`", path.read_text(encoding="utf-8"))
    ]
    assert len(named) > 100
    assert [each for each in named if not any(path.endswith(f"/{each[1]}") or path == each[1] for path in there)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documented_modules_exist(document: Path) -> None:
    package = ROOT / "facemon"
    rooms = "|".join(path.name for path in package.iterdir() if path.is_dir())
    named = re.findall(rf"`(?:facemon/)?((?:{rooms})/[a-z_/]+?)(?:\.py)?`", document.read_text())
    assert [name for name in named if not (package / name).exists() and not (package / f"{name}.py").exists()] == []


def test_each_rule_of_the_architecture_has_its_reason() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tables = re.findall(r"^\| rule \| reason \|\n\|---\|---\|\n((?:\|.*\n)+)", text, flags=re.MULTILINE)
    rules = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for table in tables for row in table.splitlines()
    ]
    assert len(tables) == text.count("| rule |") >= 3
    assert [rule for rule, *reason in rules if len(reason) != 1 or len(reason[0].split()) < 4] == []
