"""The text of `--help`: examples first, then the options, their variables and the exit codes."""

import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from facemon.terminal.help_examples import EXAMPLES, exit_codes_of

_WIDEST_NAMES = 30
"""Options with longer names have their help on the next line."""
_FEWEST_COLUMNS = 40
COMMON_PANEL = "Common options"
"""The title of the options that every command takes."""
_BRACED = re.compile(r"\{([^{}|]+)\}")
"""A required argument as Typer shows it; braces are for choices elsewhere."""
_WITHOUT = {"help", "install_completion", "show_completion"}
"""Options whose variables are ignored: they would make every command do something else."""


def variable_of(option: Any, prefix: str | None) -> str | None:
    """The environment variable of an option; `prefix` is that of its command. None where it has none."""
    if option.param_type_name != "option" or option.name in _WITHOUT or not getattr(option, "allow_from_autoenv", True):
        return None
    name = next((each for each in option.opts if each.startswith("--")), option.name).lstrip("-")
    return option.envvar or (prefix and f"{prefix}_{name.replace('-', '_').upper()}")


@dataclass(frozen=True, slots=True)
class HelpText:
    """What is said of a command or a group, on a terminal and in the manual page."""

    words: str
    """Its name without `facemon`; empty for that itself."""
    usage: str
    summary: str
    paragraphs: tuple[str, ...]
    sections: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """Arguments, commands and options: titles, each with names and what is said of them."""
    variables: tuple[str, ...]

    @property
    def examples(self) -> tuple[str, ...]:
        """Lines to copy."""
        return EXAMPLES.get(self.words, ())

    @property
    def exit_codes(self) -> str:
        """The exit codes in a line."""
        return exit_codes_of(self.words)


def help_text(command: Any, context: Any) -> HelpText:
    """What is said of a command or a group; `context` is click's."""
    summary, *others = inspect.cleandoc(command.help or "").split("\n\n")
    parameters = [each for each in command.get_params(context) if not getattr(each, "hidden", False)]
    found = (variable_of(each, context.auto_envvar_prefix) for each in parameters)
    return HelpText(
        words=" ".join(context.command_path.split()[1:]),
        usage=_BRACED.sub(r"\1", command.get_usage(context).split(":", 1)[1].strip()),
        summary=summary,
        paragraphs=tuple(others),
        sections=tuple((title, tuple(entries)) for title, entries in _sections(command, context, parameters)),
        variables=tuple(filter(None, found)),
    )


def help_page(command: Any, context: Any, columns: int) -> str:
    """The help of a command or a group for a terminal of so many columns; `context` is click's."""
    columns, text = max(_FEWEST_COLUMNS, columns), help_text(command, context)
    parts = [f"Usage: {text.usage}", _wrapped(text.summary, columns)]
    parts.append("Examples:\n" + "\n".join(f"  {line}" for line in text.examples))
    parts += [_wrapped(other, columns) for other in text.paragraphs]
    for title, entries in text.sections:
        parts.append(f"{title}:\n" + "\n".join(_entry(name, said, columns) for name, said in entries))
    if text.variables:
        parts.append("Variables:\n" + _wrapped(", ".join(text.variables), columns, "  "))
    parts.append("Exit codes:\n" + _wrapped(text.exit_codes, columns, "  "))
    return "\n\n".join(parts) + "\n"


def _sections(command: Any, context: Any, parameters: Sequence[Any]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    arguments = [each for each in parameters if each.param_type_name == "argument"]
    options = [each for each in parameters if each.param_type_name == "option"]
    panels: dict[str, list[Any]] = {}
    for each in options:
        panels.setdefault(getattr(each, "rich_help_panel", None) or "Options", []).append(each)
    if arguments:
        yield "Arguments", [(each.display_name_raw, each.help or "") for each in arguments]
    if hasattr(command, "list_commands"):
        named = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
        yield "Commands", [(name, inspect.cleandoc(each.help or "").split("\n\n")[0]) for name, each in named]
    for panel in sorted(panels, key=_place_of):
        yield panel, [(_names(each, context), _said(each)) for each in panels[panel]]


def _place_of(panel: str) -> int:
    """Where a panel stands among the others: a command's own options first, those of all commands last."""
    return {"Options": 0, COMMON_PANEL: 2}.get(panel, 1)


def _names(option: Any, context: Any) -> str:
    names = sorted([*option.opts, *option.secondary_opts], key=lambda name: name.startswith("--"))
    shown = ", ".join(names)
    if option.is_flag or option.count:
        return shown
    return f"{shown} {option.metavar or option.display_type(context).strip('<>')}"


def _said(option: Any) -> str:
    text, default = option.help or "", option.default
    default = default.value if isinstance(default, Enum) else default
    is_telling = isinstance(default, str | int | float) and not isinstance(default, bool) and default != ""
    if not is_telling or option.show_default is False or "default:" in text:
        return text
    return f"{text.removesuffix('.')} (default: {default})."


def _entry(name: str, said: str, columns: int) -> str:
    indent = " " * (_WIDEST_NAMES + 4)
    if columns < 2 * _WIDEST_NAMES:
        return f"  {name}\n" + _wrapped(said, columns, " " * 6)
    if len(name) > _WIDEST_NAMES:
        return f"  {name}\n" + _wrapped(said, columns, indent)
    return _wrapped(said, columns, indent, f"  {name:{_WIDEST_NAMES}}  ").rstrip()


def _wrapped(text: str, columns: int, indent: str = "", first: str | None = None) -> str:
    return textwrap.fill(
        " ".join(text.split()),
        columns,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or (first or "")
