"""What the lint found, as a value, and the rendered files as it reads them."""

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from facemon.config.loader import dotted
from facemon.render.rendered_content import Keys
from facemon.render.stack import RenderedStack

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a rendered file: where it is, what is wrong, and what to do."""

    path: str
    place: Keys
    what: str
    action: str

    def __str__(self) -> str:
        """The finding as one line."""
        place = f"{dotted(self.place)}: " if self.place else ""
        return f"{self.path}: {place}{self.what}; {self.action}"


@dataclass(frozen=True, slots=True)
class LintedFile:
    """A rendered file and, where it is YAML or JSON, what is in it."""

    path: str
    text: str
    content: Any = None

    def fault(self, place: Keys, what: str, action: str) -> Finding:
        """A finding in this file."""
        return Finding(self.path, place, what, action)


def linted_files(stack: RenderedStack) -> tuple[LintedFile, ...]:
    """Every file of the stack, read as the program that it is for will read it."""
    return tuple(LintedFile(path, text, _content(path, text)) for path, text in stack.files.items())


def _content(path: str, text: str) -> Any:
    if PurePosixPath(path).parent.name == "tests":
        # Long, and for promtool and amtool, which run them.
        return None
    match PurePosixPath(path).suffix:
        case ".json":
            return json.loads(text)
        case ".yml" | ".yaml":
            documents = list(yaml.load_all(text, Loader=_Loader))
            return documents[0] if len(documents) == 1 else documents
        case _:
            return None
