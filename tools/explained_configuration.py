"""Writes configs/facemon.yaml: every key with its default and its description, as the models of facemon/config say.

The template beside this file has the order, the headings and the examples. In it `@` after a key is the key's default,
and `# @` at the end of a line is its description: the first paragraph of the docstring below the field.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from facemon.config.alerts import DEFAULT_ALERTS
from facemon.config.loader import parse_config
from facemon.config.quantities import Listen, Size

ROOT = Path(__file__).resolve().parent.parent
CONFIGURATION = ROOT / "configs/facemon.yaml"
TEMPLATE = Path(__file__).with_name("explained_configuration.template")
_KEY = re.compile(r"(?P<indent> *)(?P<off># )?(?P<key>[A-Za-z_]+):(?: (?P<value>.*?))?(?:(?P<gap> +)# (?P<said>.*))?")
_SLOT = re.compile(r"(?:(?P<key>\w+): )?@")
_OF_ALERT = re.compile(r"@\((?P<alert>\w+)\.(?P<what>\w+)\)")
_LOST_SLOT = re.compile(r"(?:^|[ {(])@")
_PLAIN = re.compile(r"[\w./]*\w[\w./:-]*")
_COLUMN, _COLUMN_OF_ALERTS, _WIDTH = 34, 41, 120
"""Where comments begin, and where a list is continued on the next line."""
_GAP = "  "
_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)), ("s", timedelta(seconds=1)))
_SIZES = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))
_NAMES = ("Airflow", "Alertmanager", "Prometheus")


def explained_configuration(template: str) -> str:
    """The template with its defaults and descriptions; ValueError names the line that fits no key."""
    defaults = parse_config("", name="facemon.yaml", directory=Path())
    lines: list[str] = []
    for number, (line, match, path) in enumerate(keys(template), 1):
        if match is None:
            if _LOST_SLOT.search(line):
                raise ValueError(f"line {number}: @ stands where no key is: {line.strip()}")
            lines.append(line)
            continue
        try:
            lines += _written(match, path, defaults)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"line {number}: {'.'.join(path)}: {error}") from error
    return "\n".join(lines) + "\n"


def keys(template: str) -> Iterator[tuple[str, re.Match[str] | None, tuple[str, ...]]]:
    """Each line with its parts and the path of its key, also of a key that is a comment; lines without a key too."""
    parents: list[tuple[int, str]] = []
    for line in template.splitlines():
        match = None if line.startswith("#") else _KEY.fullmatch(line)
        if match is None:
            yield line, None, ()
            continue
        indent = len(match["indent"])
        above = [(at, key) for at, key in parents if at < indent]
        if not match["off"]:
            parents = [*above, (indent, match["key"])]
        yield line, match, (*(key for _, key in above), match["key"])


def _written(match: re.Match[str], path: tuple[str, ...], defaults: BaseModel) -> Iterator[str]:
    """The lines of one key."""
    value = match["value"] or ""
    if value and "@" not in value and not match["off"] and path[0] != "model":
        raise ValueError("has a value of its own: write @ for the default")
    head = f"{match['indent']}{match['off'] or ''}{match['key']}:"

    def default(slot: re.Match[str]) -> str:
        keys = (*path, slot["key"]) if slot["key"] else path
        return (f"{slot['key']}: " if slot["key"] else "") + _default(keys, defaults)

    content = "\n".join(_wrapped(f"{head} {_SLOT.sub(default, value)}" if value else head))
    if match["said"] is None:
        yield content
        return
    said = _described(path, defaults) if match["said"] == "@" else _OF_ALERT.sub(_of_alert, match["said"])
    first, *more = said.split("\n")
    column = _COLUMN_OF_ALERTS if path[0] == "alerts" and len(path) > 1 and path[1] in DEFAULT_ALERTS else _COLUMN
    gap = " " * (column - len(content) if column - len(content) > 1 else 3)
    # A comment that the template moves to a column of its own stays there.
    yield f"{content}{match['gap'] if len(match['gap']) > len(_GAP) else gap}# {first}"
    yield from (f"{' ' * _COLUMN}# {line}" for line in more)


def _wrapped(line: str) -> Iterator[str]:
    """The line; a list that is too long goes on below its first item."""
    if len(line) > _WIDTH and "[" in line:
        cut = line.rindex(", ", 0, _WIDTH) + 1
        yield line[:cut]
        line = " " * (line.index("[") + 1) + line[cut + 1 :]
    yield line


def _parent(path: tuple[str, ...], defaults: BaseModel) -> tuple[BaseModel, str]:
    """The section that has the key, and the name of the key's field."""
    section: Any = defaults
    for key in path[:-1]:
        section = getattr(section, _field(section, key))
    return section, _field(section, path[-1])


def _field(section: BaseModel, key: str) -> str:
    for name, field in type(section).model_fields.items():
        if (field.alias or name) == key:
            return name
    raise KeyError(f"{type(section).__name__} has no key {key}")


def _default(path: tuple[str, ...], defaults: BaseModel) -> str:
    section, name = _parent(path, defaults)
    value = getattr(section, name)
    if value is None:
        raise ValueError("is unset by default: write the line as a comment, with an example")
    return as_yaml(value, type(section).model_fields[name])


def as_yaml(value: Any, field: FieldInfo | None = None) -> str:
    """A default as YAML."""
    match value:
        case bool():
            return str(value).lower()
        case timedelta():
            return _duration(value)
        case int() if field is not None and tuple(field.metadata) == get_args(Size)[1:]:
            unit, size = next((unit, size) for unit, size in _SIZES if value % size == 0)
            return f"{value // size}{unit}"
        case int() | float():
            return f"{value:.12g}"
        case Listen() | Path():
            return str(value)
        case BaseModel():
            fields = type(value).model_fields.items()
            given = {each.alias or name: (getattr(value, name), each) for name, each in fields}
            inside = (f"{key}: {as_yaml(*pair)}" for key, pair in given.items() if pair[0] is not None)
            return f"{{{', '.join(inside)}}}"
        case Mapping():
            return f"{{{', '.join(f'{key}: {as_yaml(each)}' for key, each in value.items())}}}"
        case tuple():
            return f"[{', '.join(as_yaml(each) for each in value)}]"
        case _:
            text = str(value)
            return text if _PLAIN.fullmatch(text) and yaml.safe_load(text) == text else f'"{text}"'


def _duration(value: timedelta) -> str:
    """In the largest unit of which it is more than one, as 24h and not 1d."""
    for unit, length in _UNITS:
        if value % length == timedelta(0) and value > length:
            return f"{value // length}{unit}"
    return f"{value / timedelta(seconds=1):g}s"


def _of_alert(match: re.Match[str]) -> str:
    return as_yaml(getattr(DEFAULT_ALERTS[match["alert"]], match["what"]))


def _described(path: tuple[str, ...], defaults: BaseModel) -> str:
    """What the docstring of the key's field says, as a comment: without a capital and a full stop."""
    section, name = _parent(path, defaults)
    said = docstrings_of(type(section)).get(name)
    if said is None:
        raise ValueError(f"{type(section).__name__}.{name} has no docstring")
    text = said.split("\n\n")[0].removesuffix(".")
    return text if text.startswith(_NAMES) else text[0].lower() + text[1:]


@cache
def docstrings_of(section: type[BaseModel]) -> dict[str, str]:
    """The docstrings of a section's fields, which Python itself does not keep."""
    found: dict[str, str] = {}
    for cls in reversed([each for each in section.mro() if each.__module__.startswith("facemon.")]):
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for statement, after in pairwise(body):
            match statement, after:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = inspect.cleandoc(text)
    return found
