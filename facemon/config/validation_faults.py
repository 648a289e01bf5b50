"""What pydantic found wrong with a document, in plain sentences at the right places."""

import re
from collections.abc import Hashable, Iterable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from facemon.config.document import Config
from facemon.config.section import MisfitError, Section
from facemon.config.yaml_source import START, Fault, Keys, YamlDocument
from facemon.config.yaml_traps import boolean_hint, misreading, number_hint, text_hint, word_of
from facemon.near_names import did_you_mean, nearest_names

_SECRET = re.compile(r"passw|passphrase|pwd$|token|secret|credential|api_?(?:key|url)$|private_key", re.IGNORECASE)
_SHORT_LIST = 8
_INTERNAL = frozenset({"directory", "file_name", "absolute_paths"})
"""Fields that the loader fills, not the file."""

PATTERNS = {
    r"^https?://[^\s/@]+(/\S*)?$": "must be an address like https://example.com/path, without a user or a password",
    r"^[0-9a-f]{64}$": "must be a sha256: 64 digits from 0-9 and a-f",
    r"^([a-zA-Z]|_[a-zA-Z0-9])[a-zA-Z0-9_]*$": "must be made of letters, digits and _, no digit and no __ first",
    r"^/[^\s:]*$": "must be an absolute path without spaces and colons",
    r"^/[^\x00-\x1f\x7f]*$": "must be an absolute path without control characters",
    r"^/[^\x00-\x1f\x7f]+/[^/\x00-\x1f\x7f]+\.prom$": "must be the absolute path of a file *.prom in a folder, without "
    "control characters",
    r"^[^:\x00-\x1f\x7f]+$": "must be a name without a colon and control characters",
    r"^(/[^\x00-\x1f\x7f]+|[A-Za-z0-9][A-Za-z0-9._-]*)$": "must be an absolute path, or a command's name alone",
    r"^[a-z_][a-z0-9_-]{0,31}$": "must be a user's name: letters from a to z, digits, _ and -, no digit first",
    r"^[a-z0-9][a-z0-9._/:-]*(:[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})$": "must be an image and its version, "
    "like prom/prometheus:v3.5.0",
    r"^[a-z][a-z0-9]*$": "must be a name such as cpu, cuda or openvino",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "must be made of letters, digits and _, no digit first",
    r"^(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):\d{1,5}$": "must be HOST:PORT, like ml.example.com:8000, without http://",
    r"^[A-Za-z0-9@_.:\\][A-Za-z0-9@_.:\\-]*$": "must be a unit of systemd, like prometheus.service",
    r"^[A-Za-z0-9_-]{1,40}$": "must be made of letters, digits, _ and -, at most 40",
    r"^[a-z0-9]([a-z0-9-]{0,14}[a-z0-9])?$": "must be made of letters from a to z, digits and -, no - first or last, "
    "at most 16",
    r"^[^\s\x00-\x1f]+$": "must be a scrape job's name without spaces and control characters",
    r"^[^:\s]+:\d+$": "must be HOST:PORT, like smtp.example.com:587",
    r"^[\w.]+:\w+$": "must be MODULE:CLASS, like mypackage.metrics:Queue",
    r"^[A-Z][A-Za-z0-9]*$": "must be made of letters and digits, a capital first: alerts are named after it",
    r"^[a-zA-Z_:][a-zA-Z0-9_:]*\*?$": "must be a metric's name, or its beginning and a *",
    r"^[\t !#-/:-@\[-`{-~]$": 'must be one sign of ASCII, not a letter, digit or quotation mark; a tab is "\\t"',
    r"^(/[^/:\x00-\x1f\x7f]+){2,}$": "must be the absolute path of a file in a folder, without colons and control "
    "characters",
    r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$": "must be a name in Kubernetes: letters from a to z, digits and -, no - "
    "first or last, at most 63",
    r"^(s3|gs|az)://[!-?A-~]+$": "must be an address like s3://logs/november/, without a user and spaces",
    r"^[1-9][0-9]*(Mi|Gi)$": "must be a size like 512Mi or 2Gi",
    r"^\d+\.\d+$": 'must be a version, like "0.28"',
    r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$": 'must be a time of the day, like "06:00", at most "24:00"',
}
"""Each pattern of the schema in words; none of them shows the value, which may hold a secret."""

_BOUNDS = {
    "less_than_equal": ("le", "at most"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "greater_than": ("gt", "more than"),
}
_TYPES = {
    "string_type": "text",
    "path_type": "text",
    "invalid_key": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "model_type": "a mapping",
    "mapping_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
}
"""What each of pydantic's type errors wants instead."""
_PARSED = {
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "float_parsing": "a number",
    "bool_parsing": "true or false",
    "finite_number": "a finite number",
}
"""The same of text that is read as a value of the type, as on the command line."""
_LONGEST_VALUE = 200


def is_secret(keys: Keys) -> bool:
    """Whether a value may be a secret by its key's name, so that no message may show it."""
    return any(isinstance(key, str) and (key.endswith("_file") or _SECRET.search(key)) for key in keys)


def known_keys(keys: Keys) -> Mapping[str, Any]:
    """The keys that a section at `keys` may have, each with its type; empty where there is no section."""
    kind: Any = Config
    for key in keys:
        kind = _inner(kind, key)
    kind = _unwrapped(kind)
    return _fields(kind) if isinstance(kind, type) and issubclass(kind, Section) else {}


def validation_faults(error: ValidationError, document: YamlDocument) -> list[Fault]:
    """Every fault that pydantic found, once, as a sentence at its place in the document.

    What follows from another fault is left out: a missing key that is there misspelt, a list that pydantic
    calls too short because its items are wrong, whatever lies in a value that could not be read.
    """
    faults: dict[tuple[Keys, bool], Fault] = {}
    renamed: set[Keys] = set()
    details = sorted(error.errors(include_url=False), key=lambda detail: detail["type"] == "missing")
    for detail in details:
        keys, rest, in_key = _located(detail["loc"], document.value)
        if any(keys[:length] in document.unreadable for length in range(len(keys) + 1)) or _is_echo(detail):
            continue
        in_key = in_key or detail["type"] in ("extra_forbidden", "invalid_key")
        if detail["type"] == "extra_forbidden" or (len(keys) == 1 and keys[0] in _INTERNAL):
            fault, meant = _unknown_key(keys, document)
            renamed.add((*keys[:-1], meant))
        elif detail["type"] == "missing":
            fault = _missing((*keys, *rest), keys, detail, document)
            if fault.keys in renamed:
                continue
        elif isinstance(misfits := detail.get("ctx", {}).get("error"), MisfitError):
            for below, message in misfits.faults:
                at = (*keys, *below)
                faults.setdefault((at, False), Fault(_nearest(at, document), at, message))
            continue
        else:
            fault = _wrong_value(keys, in_key, detail, document)
        faults.setdefault((fault.keys, in_key), fault)
    return list(faults.values())


def option_fault(error: ValidationError) -> str:
    """What is wrong with the value of an option on the command line, without the words of pydantic."""
    detail = error.errors(include_url=False)[0]
    kind, value = detail["type"], str(detail["input"])[:_LONGEST_VALUE]
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"must be {words} {detail['ctx'][bound]:g}, not {value}"
    if wanted := _TYPES.get(kind) or _PARSED.get(kind):
        return f"must be {wanted}, not {value!r}"
    return _own_words(detail)


def nearest_or_all(given: Any, known: Iterable[str]) -> str:
    """A hint that names the closest of `known`, or all of them if they are few."""
    names = sorted(known)
    few = 0 < len(names) <= _SHORT_LIST
    return did_you_mean(str(given), names, f"known here: {', '.join(names)}" if few else "")


def _located(loc: tuple[int | str, ...], value: Any) -> tuple[Keys, tuple[int | str, ...], bool]:
    """Split pydantic's location into keys of the document, what the document lacks, and "it is the key"."""
    keys: list[Hashable] = []
    for position, item in enumerate(loc):
        if isinstance(value, dict):
            same = [key for key in value if key == item] or [key for key in value if item in (str(key), repr(key))]
            if same:
                keys.append(same[0])
                value = value[same[0]]
                continue
        elif isinstance(value, list) and isinstance(item, int) and item < len(value):
            keys.append(item)
            value = value[item]
            continue
        return tuple(keys), loc[position:], "[key]" in loc[position:]
    return tuple(keys), (), False


def _nearest(keys: Keys, document: YamlDocument) -> Any:
    """The place of a value, or of the innermost value around it that the document has."""
    return next((place for n in range(len(keys), -1, -1) if (place := document.values.get(keys[:n]))), START)


def _is_echo(detail: ErrorDetails) -> bool:
    """Whether it only follows from another fault.

    Pydantic calls a list too short because it does not count its faulty items, and makes no default that depends on
    keys before it where one of these has a fault.
    """
    if detail["type"] == "default_factory_not_called":
        return True
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def _unknown_key(keys: Keys, document: YamlDocument) -> tuple[Fault, str]:
    """The fault of a key that its section does not know, and the known key that was probably meant."""
    place, key = document.keys[keys], keys[-1]
    known = [name for name in known_keys(keys[:-1]) if len(keys) > 1 or name not in _INTERNAL]
    if isinstance(key, str) and _SECRET.search(key) and not key.endswith("_file"):
        files = [name for name in known if name.endswith("_file")]
        stems = {name: name.removesuffix("_file") for name in files}
        fitting = [name for name in files if key.endswith(stems[name]) or stems[name].startswith(key)]
        meant = (fitting or files or [""])[0]
        hint = f"put it into a file and name that with {meant}" if meant else "no key here takes one"
        return Fault(place, keys, "a secret is not allowed here", hint), meant
    close = nearest_names(str(key), known)
    return Fault(place, keys, "unknown key", nearest_or_all(key, known)), close[0] if close else ""


def _missing(wanted: Keys, keys: Keys, detail: ErrorDetails, document: YamlDocument) -> Fault:
    place = document.values[keys]
    if isinstance(wanted[-1], int):  # a tuple of fixed length; pydantic names each item that it lacks
        return Fault(place, keys, f"has too few values: {len(detail['input'])}")
    return Fault(place, wanted, "is missing")


def _wrong_value(keys: Keys, in_key: bool, detail: ErrorDetails, document: YamlDocument) -> Fault:
    value = keys[-1] if in_key and keys else detail["input"]
    text = (document.plain_keys if in_key else document.plain).get(keys)
    place = document.keys[keys] if in_key else document.values[keys]
    message, hint = _sentence(detail, value, text)
    if is_secret(keys) and not in_key:
        message, hint = re.sub(r"the number [^\s,]+", "a number", message), ""
    return Fault(place, keys, f"the key {message}" if in_key else message, hint)


def _sentence(detail: ErrorDetails, value: Any, text: str | None) -> tuple[str, str]:
    """A sentence and a hint for one of pydantic's errors about `value`, which the file writes as `text`."""
    context: dict[str, Any] = detail.get("ctx", {})
    match detail["type"]:
        case kind if kind in _TYPES:
            return f"is {word_of(value)}, must be {_TYPES[kind]}", _type_hint(_TYPES[kind], value, text)
        case kind if kind in _BOUNDS:
            bound, words = _BOUNDS[kind]
            return f"is {value}, must be {words} {context[bound]:g}", ""
        case "finite_number":
            return f"is {value}, must be a finite number", ""
        case "literal_error":
            return _not_among(re.findall(r"'([^']*)'", context["expected"]), value, text)
        case "string_too_short" | "too_short":
            return "is empty, must not be", ""
        case "string_too_long":
            return f"has {len(value)} characters, must have at most {context['max_length']}", ""
        case "too_long":
            return f"has {len(value)} values, must have at most {context['max_length']}", ""
        case "string_pattern_mismatch":
            return PATTERNS.get(context["pattern"], "has the wrong format"), ""
        case "value_error":
            return str(context["error"]), misreading(text, value)
    return _own_words(detail), ""


def _own_words(detail: ErrorDetails) -> str:
    """What the check that found the fault says: pydantic puts the kind of the exception before it."""
    error = detail.get("ctx", {}).get("error")
    return detail["msg"] if error is None else str(error)


def _type_hint(wanted: str, value: Any, text: str | None) -> str:
    """How to write what was probably meant by a value that is not of the type `wanted`."""
    match wanted:
        case "text":
            return text_hint(text, value)
        case "true or false":
            return boolean_hint(value)
        case "a whole number" | "a number":
            return number_hint(value)
        case "a mapping":
            return "remove the key, or write {}" if value is None else ""
    return "put [ ] around it" if isinstance(value, str | int | float) else ""


def _not_among(names: list[str], value: Any, text: str | None) -> tuple[str, str]:
    if not isinstance(value, str):
        hint = text_hint(text, value) if text in names else misreading(text, value)
        return f"is {word_of(value)}, must be one of {', '.join(names)}", hint
    return f"is {value!r}, must be one of {', '.join(names)}", did_you_mean(value, names)


def _fields(section: type[Section]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in section.model_fields.items()}


def _unwrapped(kind: Any) -> Any:
    """A type without `Annotated` and without `| None`."""
    while get_origin(kind) in (Annotated, Union, UnionType):
        kind = next(part for part in get_args(kind) if part is not NoneType)
    return kind


def _inner(kind: Any, key: Hashable) -> Any:
    """The type of what stands under `key` in a value of the type `kind`; None where that is unknown."""
    kind = _unwrapped(kind)
    if isinstance(kind, type) and issubclass(kind, Section):
        return _fields(kind).get(str(key))
    if isinstance(key, int) and get_origin(kind) is tuple:
        return get_args(kind)[0]
    return get_args(kind)[1] if get_origin(kind) is Mapping else None
