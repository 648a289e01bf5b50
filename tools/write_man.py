"""Writes the manual page facemon.1 (`make man`) from what `--help` shows of each command."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from facemon.cli.command_line import app
from facemon.terminal.help_page import COMMON_PANEL, HelpText, help_text
from facemon.version import __version__

_PAGE = Path(__file__).resolve().parent.parent / "dist" / "man1" / "facemon.1"


def every_help_text() -> Iterator[HelpText]:
    """What is said of `facemon` itself, then of each command and group, in the order of `facemon --help`."""

    def below(command: Any, name: str, parent: Any) -> Iterator[HelpText]:
        settings: dict[str, Any] = (
            {} if parent else {"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "FACEMON"}
        )
        context = typer.Context(command, parent=parent, info_name=name, **settings)
        yield help_text(command, context)
        if isinstance(command, TyperGroup):
            for word in command.list_commands(context):
                yield from below(command.get_command(context, word), word, context)

    yield from below(typer.main.get_command(app), "facemon", None)


def man_page(texts: list[HelpText], date: str) -> str:
    """The page in roff, with the macros of man(7); the first text is that of `facemon` itself."""
    first, *commands = texts
    lines = [f'.TH FACEMON 1 "{date}" "facemon {__version__}" "User Commands"']
    lines += [".SH NAME", f"facemon \\- {_escaped(first.summary.rstrip('.').lower())}"]
    lines += [".SH SYNOPSIS", f".B {_escaped(first.usage)}"]
    lines += [".SH DESCRIPTION", _escaped(first.summary), *_paragraphs(first)]
    lines += [".SH OPTIONS", *_tags(first, without={"Commands"})]
    lines += [".SH COMMANDS", "Each command takes the common options too, before or after its name."]
    for text in commands:
        lines += [f".SS {_escaped(text.words)}", f".B {_escaped(text.usage)}"]
        lines += [".PP", _escaped(text.summary), *_paragraphs(text)]
        lines += [*_tags(text, without={COMMON_PANEL, "Commands"}), *_examples(text)]
    lines += [".SH ENVIRONMENT", "Each option has a variable, which an option on the command line overrides."]
    for text in texts:
        own = text.variables if text is first else [each for each in text.variables if each not in first.variables]
        lines += [".TP", f".B facemon {_escaped(text.words)}".rstrip(), _escaped(", ".join(own))]
    lines += [".SH EXIT STATUS"]
    for text in texts:
        lines += [".TP", f".B facemon {_escaped(text.words)}".rstrip(), _escaped(text.exit_codes)]
    lines += [".SH EXAMPLES", *_examples(first)[1:]]
    return "\n".join(lines) + "\n"


def _paragraphs(text: HelpText) -> Iterator[str]:
    for paragraph in text.paragraphs:
        yield ".PP"
        yield _escaped(paragraph)


def _tags(text: HelpText, without: set[str]) -> Iterator[str]:
    for title, entries in text.sections:
        if title in without:
            continue
        for name, said in entries:
            yield from (".TP", f".B {_escaped(name)}", _escaped(said) or "\\&")


def _examples(text: HelpText) -> list[str]:
    return [".PP", ".nf", ".RS 4", *map(_escaped, text.examples), ".RE", ".fi"]


def _escaped(text: str) -> str:
    """Text in one line that roff shows as it is: its backslashes, its hyphens to copy, and no request by accident."""
    line = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    line = "".join(each if each.isascii() else f"\\[u{ord(each):04X}]" for each in line)
    return f"\\&{line}" if line[:1] in (".", "'") else line


def main(path: Path = _PAGE) -> None:
    """Write the page to a path; its date is that of SOURCE_DATE_EPOCH, or today."""
    made = datetime.fromtimestamp(float(os.environ.get("SOURCE_DATE_EPOCH") or datetime.now(UTC).timestamp()), UTC)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(man_page(list(every_help_text()), f"{made:%Y-%m-%d}"), encoding="ascii")
    print(f"wrote {path}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
