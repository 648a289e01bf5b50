"""The road from a file to a `Config`: every fault is found before any is reported.

A file's relative paths (the store's, the networks') become absolute here and nowhere else; `*_file`
strings stay as they are written, since the rendered stack mounts them by that name.
"""

import os
import re
import stat
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from facemon.config.builtin_bundles import DEFAULT_BUNDLE, builtin_bundle, bundle_names
from facemon.config.document import Config
from facemon.config.trusted_file import check_trusted
from facemon.config.validation_faults import is_secret, nearest_or_all, validation_faults
from facemon.config.yaml_source import START, Fault, Keys, Place, YamlDocument, read_yaml
from facemon.config.yaml_traps import is_misread_number, is_octal, word_of
from facemon.error_hints import hint_of
from facemon.errors import ConfigError
from facemon.local_path import shown_url, url_fault
from facemon.printable import Lines, printable
from facemon.regular_file import open_regular

DEFAULT_FILE = "facemon.yaml"
MAX_BYTES = 4 * 2**20
_MOST_FAULTS = 50
_LONGEST_PART = 1000
_OF_STREAMS = (Path("/dev"), Path("/dev/fd"), Path("/proc/self/fd"))
_BARE_KEY = re.compile(r"[\w-]+")
_PIPES: dict[tuple[int, int], bytes] = {}
"""What pipes held, such as a shell's `<(…)`: a second read of one, for places of keys or a reload, finds nothing."""


def load_config(path: Path | None = None) -> Config:
    """Read a configuration file; without a path `facemon.yaml` of the current folder, or defaults if it is not there.

    Raises ConfigError for a file that cannot be read, and for one with faults: its message has one line for
    each, `file:line:column: key: what is wrong; hint`, sorted by place.
    """
    if path is None:
        path = Path(DEFAULT_FILE)
        if not path.exists() and not path.is_symlink():
            return parse_config("", name=DEFAULT_FILE, directory=Path.cwd())
    folder = path.absolute().parent
    if folder not in _OF_STREAMS:
        return parse_config(_text_of(path), name=str(path), directory=folder)
    # Of /dev/stdin and of a shell's `<(…)`, relative paths begin in the current folder.
    config = parse_config(_text_of(path), name=str(path), directory=Path.cwd())
    return config.model_copy(update={"file_name": path.absolute()})


def parse_config(text: str, *, name: str, directory: Path) -> Config:
    """Read a configuration from YAML text; `name` stands before each fault, `directory` before relative paths.

    Raises ConfigError as `load_config` does.
    """
    config, faults, _ = _read(text)
    if config is None:
        lines = [fault_line(name, fault) for fault in faults[:_MOST_FAULTS]]
        if len(faults) > _MOST_FAULTS:
            lines.append(f"{name}: and {len(faults) - _MOST_FAULTS:,} faults more")
        raise ConfigError(Lines("\n".join(lines))) from None
    return _with_absolute_paths(config, directory / Path(name).name)


def check_file(path: Path) -> tuple[int, tuple[Fault, ...]]:
    """How many keys a file gives a value, and all its faults in the order of their places.

    ConfigError where it cannot be read.
    """
    _, faults, document = _read(_text_of(path))
    return len(_given(document)), tuple(faults)


def text_faults(text: str) -> tuple[Fault, ...]:
    """All faults of a configuration's YAML text, in the order of their places."""
    return tuple(_read(text)[1])


def _read(text: str) -> tuple[Config | None, list[Fault], YamlDocument]:
    """The configuration, None where it has faults; the faults, sorted by place; and what was read."""
    document = read_yaml(text)
    faults = list(document.faults)
    config = None
    if isinstance(document.value, dict):
        model, model_faults = _model(document)
        faults += model_faults
        try:
            config = Config.model_validate({**document.value, "model": model})
        except ValidationError as error:
            faults += validation_faults(error, document)
        faults += _misread_numbers(document, {fault.keys for fault in faults})
    elif not faults:
        faults.append(Fault(document.values[()], (), f"is {word_of(document.value)}, must be a mapping of sections"))
    ordered = sorted(faults, key=lambda fault: (fault.place, str(fault.keys)))
    return (None if faults else config), ordered, document


def placed_error(path: Path | None, faults: Sequence[tuple[Keys, str]]) -> ConfigError:
    """The error of faults that show only when a configuration is put to use: each at its keys' place in the file."""
    path = path or Path(DEFAULT_FILE)
    placed = placed_faults(path, [(keys, message, "") for keys, message in faults])
    return ConfigError(Lines("\n".join(fault_line(str(path), fault) for fault in placed)))


def placed_faults(path: Path, faults: Sequence[tuple[Keys, str, str]]) -> tuple[Fault, ...]:
    """Faults of keys, each a message and a hint, at the places that their values have in the file, in their order."""
    document = read_yaml(_text_of(path))
    placed = (Fault(document.values.get(keys, START), keys, message, hint) for keys, message, hint in faults)
    return tuple(sorted(placed, key=lambda fault: (fault.place, str(fault.keys))))


def given_keys(path: Path) -> tuple[tuple[str, int], ...]:
    """The keys to which a file gives a value, as messages name them, each with the line of the value.

    ConfigError where the file cannot be read again.
    """
    return _given(read_yaml(_text_of(path)))


def _given(document: YamlDocument) -> tuple[tuple[str, int], ...]:
    inner = {keys[:-1] for keys in document.values}
    return tuple((dotted(keys), place.line) for keys, place in document.values.items() if keys and keys not in inner)


def dotted(keys: Keys) -> str:
    """Keys as a message names them: `alerts.HighLatency.threshold`, `model.networks[0].path`."""
    parts: list[str] = []
    for key in keys:
        if isinstance(key, str) and _BARE_KEY.fullmatch(key):
            parts.append(f".{key}" if parts else key)
        elif key is None or isinstance(key, bool):
            parts.append("[null]" if key is None else f"[{word_of(key)}]")
        else:
            parts.append(f"[{key!r}]" if isinstance(key, str) else f"[{key}]")
    return "".join(parts)


def fault_line(name: str, fault: Fault) -> str:
    """A fault of the file `name` as one line: `FILE:LINE:COLUMN: KEY: what is wrong; hint`."""
    where = f"{printable(name)}:{fault.place.line}:{fault.place.column}: "
    what = f"{_cut(dotted(fault.keys))}: {_cut(fault.message)}" if fault.keys else _cut(fault.message)
    return where + what + (f"; {_cut(fault.hint)}" if fault.hint else "")


def _cut(text: str) -> str:
    """A part of a message as one line, which does not show a value of megabytes whole."""
    return printable(text if len(text) <= _LONGEST_PART else f"{text[:_LONGEST_PART]}…")


def _text_of(path: Path) -> str:
    if is_url := url_fault(path):
        raise ConfigError(f"{shown_url(path)}: {is_url.what}", hint=is_url.remedy)
    try:
        content = _content_of(path)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file", hint="facemon init writes one") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: is a directory", hint=f"name the file in it, like {path / DEFAULT_FILE}") from None
    except (OSError, ValueError) as error:  # a name with the character NUL
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        hint = (isinstance(error, PermissionError) and hint_of(error)) or "name a regular file"
        raise ConfigError(f"{path}: cannot be read: {reason}", hint=hint) from None
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path}: is larger than {MAX_BYTES // 2**20} MiB", hint="name a facemon.yaml file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig")
        place = Place(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        fault = Fault(place, (), f"the byte 0x{content[error.start]:02x} is not UTF-8")
        raise ConfigError(fault_line(str(path), fault), hint="save the file as UTF-8") from None


def _content_of(path: Path) -> bytes:
    with open_regular(path, or_descriptor=True) as file:
        check_trusted(path, file)
        about = os.fstat(file.fileno())
        if stat.S_ISREG(about.st_mode):
            return file.read(MAX_BYTES + 1)
        pipe = about.st_dev, about.st_ino
        if pipe not in _PIPES:
            _PIPES[pipe] = file.read(MAX_BYTES + 1)
        return _PIPES[pipe]


def _model(document: YamlDocument) -> tuple[Any, list[Fault]]:
    """What stands for `model`, its bundle's name resolved, so that the rest can be validated whatever its faults."""
    default = builtin_bundle(DEFAULT_BUNDLE)
    model = document.value.get("model", {"bundle": DEFAULT_BUNDLE})
    if not isinstance(model, dict) or "bundle" not in model:
        return model, []
    keys: Keys = ("model", "bundle")
    name, names = model["bundle"], bundle_names()
    faults = []
    if others := [str(key) for key in model if key != "bundle"]:
        hint = f"remove bundle to describe a model of your own, else remove {', '.join(others)}"
        faults.append(Fault(document.keys[keys], keys, "excludes all other keys of model", hint))
    if name not in names and keys not in document.unreadable:
        what = repr(name) if isinstance(name, str) else word_of(name)
        message = f"is {what}, must be a built-in bundle: {', '.join(names)}"
        hint = nearest_or_all(name, names) if isinstance(name, str) else ""
        faults.append(Fault(document.values[keys], keys, message, hint if hint.startswith("did") else ""))
    return default if name not in names else builtin_bundle(name), faults


def _misread_numbers(document: YamlDocument, faulty: set[Keys]) -> list[Fault]:
    """Numbers that are valid where they stand but hardly what was meant: `threads: 010` would be eight."""
    faults = []
    for texts, places, is_key in ((document.plain, document.values, False), (document.plain_keys, document.keys, True)):
        for keys, text in texts.items():
            value: Hashable = keys[-1] if is_key else _value_at(document.value, keys)
            if keys not in faulty and is_misread_number(text, value) and not is_secret(keys):
                base = "octal" if is_octal(text) else "base 60"
                message = f"YAML reads {text} as the number {value} ({base})"
                faults.append(Fault(places[keys], keys, message, f'write "{text}" for text, {value} for the number'))
    return faults


def _value_at(value: Any, keys: Keys) -> Any:
    for key in keys:
        value = value[key]
    return value


def _with_absolute_paths(config: Config, file: Path) -> Config:
    directory, faces = file.parent, config.model.faces
    paths = [config.store.path, *(network.path for network in config.model.networks if not network.package)]
    if faces.weights is not None:
        paths.append(faces.weights)
    changes: Mapping[str, Any] = {
        "model": config.model.below(directory),
        "store": config.store.model_copy(update={"path": directory / config.store.path}),
        "directory": directory,
        "file_name": Path(file.name),
        "absolute_paths": frozenset(path for path in paths if path.is_absolute()),
    }
    return config.model_copy(update=changes)
