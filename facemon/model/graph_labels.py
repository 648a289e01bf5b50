"""Labels that an ONNX file's author wrote into its metadata, in the forms that exporters write them."""

import ast
import json
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

_KEYS = ("labels", "label_names", "classes", "class_names", "names", "id2label", "categories")
"""Metadata keys that hold labels; `<output>_<key>` holds those of one output."""


def labels_of(metadata: Mapping[str, str], output: str, count: int) -> tuple[str, ...]:
    """The `count` labels of an output, in the order of its numbers; empty where the metadata has none that fit."""
    lowered = {key.lower(): text for key, text in metadata.items()}
    for key in (*(f"{output.lower()}_{key}" for key in _KEYS), *_KEYS):
        if key in lowered:
            labels = _parsed(lowered[key])
            if len(labels) == count and len(set(labels)) == count and all(map(_is_text, labels)):
                return labels
    return ()


def _is_text(label: str) -> bool:
    """Whether a label can be written into a file: JSON may hold half of a surrogate pair."""
    return bool(label) and label.encode(errors="ignore").decode() == label


def _parsed(text: str) -> tuple[str, ...]:
    """Read a JSON list or object, a Python literal, or names with commas or line ends between them."""
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        try:
            return _listed(value)
        except ValueError:
            return ()
    separator = "\n" if "\n" in text.strip() else ","
    return tuple(part.strip() for part in text.strip().split(separator))


def _listed(value: Any) -> tuple[str, ...]:
    if isinstance(value, dict):
        try:  # index to label, or label to index
            by_index = all(isinstance(index, int) for index in value.values())
            pairs = [(index, label) if by_index else (int(label), index) for label, index in value.items()]
            return tuple(str(label) for _, label in sorted(pairs, key=itemgetter(0)))
        except (TypeError, ValueError) as error:
            raise ValueError("no labels by their index") from error
    if isinstance(value, list | tuple):
        return tuple(str(label) for label in value)
    raise ValueError("neither a list nor a mapping")
