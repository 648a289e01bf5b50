"""The documentation names only commands, options and metrics that there are, and leaves out no command."""

import re
import shlex
from pathlib import Path

import pytest
from write_docs import pages

from facemon.values.metric_catalogue import CATALOGUE
from tests.conftest import RunFacemon

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = {
    "init": (),
    "predict": (),
    "evaluate": (),
    "reference": ("set", "list", "show", "diff"),
    "drift-check": (),
    "export-metrics": (),
    "metrics": (),
    "explain": (),
    "serve-metrics": (),
    "serve": (),
    "render-config": (),
    "model": ("show", "check"),
    "store": ("info", "verify", "backup", "compact", "prune", "repair", "recover", "clock"),
}
FOREIGN_PREFIXES = ("mlops_", "container_", "node_")


def commands_in(text: str) -> list[list[str]]:
    """The facemon command lines of a document's console, crontab and inline code."""
    lines = re.findall(r"^(?:\$ |[\d*/ ]+ \* )(facemon .*)$", text, flags=re.MULTILINE)
    lines += re.findall(r"`(facemon [a-z][^`]*)`", text)
    return [shlex.split(line.split("#")[0].split("<")[0])[1:] for line in lines]


DOCUMENTED = [(path.name, words) for path in DOCUMENTS for words in commands_in(path.read_text())]


HELP: dict[tuple[str, ...], str] = {}


def help_of(facemon: RunFacemon, command: tuple[str, ...]) -> str:
    if command not in HELP:
        outcome = facemon(*command, "--help", cwd=ROOT, env={"COLUMNS": "200"})
        assert outcome.returncode == 0, outcome.stderr
        HELP[command] = outcome.stdout
    return HELP[command]


@pytest.mark.parametrize(("document", "words"), DOCUMENTED)
def test_documented_commands_exist(facemon: RunFacemon, document: str, words: list[str]) -> None:
    place = next(index for index, word in enumerate(words) if word in COMMANDS)
    command: tuple[str, ...] = (words[place],)
    if COMMANDS[words[place]] and place + 1 < len(words):
        assert words[place + 1] in COMMANDS[words[place]], f"{document}: facemon {' '.join(words)}"
        command = (*command, words[place + 1])
    text = help_of(facemon, command)
    for word in words:
        if word.startswith("-") and word != "-":
            assert re.search(rf"(^|[\s│]){re.escape(word.split('=')[0])}\b", text), f"{document}: {word}"


def test_every_command_is_documented(facemon: RunFacemon) -> None:
    listed = re.findall(r"^│ ([a-z-]+) ", help_of(facemon, ()).split("Commands")[1], flags=re.MULTILINE)
    assert set(listed) == set(COMMANDS)
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


def test_links_lead_somewhere() -> None:
    for path in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_pages_that_are_made_from_the_code_are_as_it_makes_them() -> None:
    for path, text in pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: make docs writes it anew"
