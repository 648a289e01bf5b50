"""YAML text as plain values, with the place of every key and value; decides which YAML is accepted.

One document of plain mappings, lists and scalars. Tags, merge keys, keys that are no scalars, duplicate
keys and documents that unfold without bound are faults. Nothing here knows what facemon.yaml means.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.reader import Reader
from yaml.resolver import Resolver

Keys = tuple[Hashable, ...]
"""The keys and list indices that lead from the document's root to a value."""

_MAX_DEPTH = 50
_MAX_NODES = 100_000
_LONGEST_NUMBER = 100
"""Characters of a number or a date."""
_TOO_LARGE = 2**63

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS = {f"{_TAG}{kind}" for kind in ("null", "bool", "int", "float", "str", "timestamp", "value")}
_UNCLOSED = {"while parsing a flow sequence": "this list [", "while parsing a flow mapping": "this mapping {"}
_RESOLVER: Any = Resolver()
_NO_VALUE = object()


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a text; the first character is at line 1, column 1."""

    line: int
    column: int


START = Place(1, 1)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at a place; `keys` is empty where it concerns the whole document."""

    place: Place
    keys: Keys
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A YAML document's value and where its parts stand; what an alias names stands where its anchor is."""

    value: Any
    values: Mapping[Keys, Place]
    """The place of each value; of the root under the empty tuple."""
    keys: Mapping[Keys, Place]
    """The place of the key of each value of a mapping."""
    plain: Mapping[Keys, str]
    """The text of each value that is written without quotes."""
    plain_keys: Mapping[Keys, str]
    """The text of each key that is written without quotes, under the keys of its value."""
    faults: tuple[Fault, ...] = ()
    unreadable: frozenset[Keys] = frozenset()
    """The values that could not be read and stand as None; each has a fault."""


def read_yaml(text: str) -> YamlDocument:
    """Read one YAML document; an empty one is an empty mapping. Raises nothing: the result lists its faults.

    Text that is no YAML at all gives an empty mapping and one fault.
    """
    if strange := Reader.NON_PRINTABLE.search(text):
        before = text[: strange.start()]
        place = Place(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        return _no_document(place, f"the character U+{ord(strange[0]):04X} is not allowed in YAML")
    try:
        if beyond := _beyond_limits(text):
            return _no_document(*beyond)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        return _no_document(*_syntax_fault(error))
    except yaml.YAMLError:
        return _no_document(START, "is not valid YAML")
    return _Reading().document(root)


def _no_document(place: Place, message: str, hint: str = "") -> YamlDocument:
    return YamlDocument({}, {(): START}, {}, {}, {}, (Fault(place, (), message, hint),))


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _beyond_limits(text: str) -> tuple[Place, str] | None:
    """Where and how a text passes a limit; composing deeper text could overflow the interpreter's stack."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=_LOADER):
        nodes += isinstance(event, yaml.NodeEvent)
        if nodes > _MAX_NODES:
            return _place(event.start_mark), f"holds more than {_MAX_NODES} keys and values"
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                return _place(event.start_mark), f"is nested more than {_MAX_DEPTH} levels deep"
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None


def _syntax_fault(error: yaml.MarkedYAMLError) -> tuple[Place, str, str]:
    """Say what is wrong without quoting the text, which may hold a secret."""
    problem, context = error.problem or "", error.context or ""
    mark = error.problem_mark or error.context_mark
    place = _place(mark) if mark else START
    if "another document" in problem:
        return place, "a second document begins here", "one file holds one document: remove the line ---"
    if "undefined alias" in problem:
        return place, "an alias (*) names no anchor (&)", "quote text that begins with *"
    if "mapping values are not allowed" in problem:
        return place, "a colon is not allowed here", "check the indentation, and quote text that holds ': '"
    if "cannot start any token" in problem:
        return place, "this character cannot begin a value", "indent with spaces, not tabs; quote text that begins so"
    if "node content" in problem:
        return place, "a value is missing before this place, or a bracket is not closed", ""
    if context in _UNCLOSED and error.context_mark:
        return _place(error.context_mark), f"{_UNCLOSED[context]} is not closed, or a comma is missing in it", ""
    if "quoted scalar" in context and error.context_mark:
        return _place(error.context_mark), "the quotation mark is not closed", ""
    if "block" in context:
        return place, "is not aligned with the lines above it", "check the indentation and quotation marks"
    return place, "is not valid YAML", problem if "'" not in problem else ""


@dataclass(slots=True)
class _Reading:
    """The state of turning nodes into values."""

    values: dict[Keys, Place] = field(default_factory=dict)
    keys: dict[Keys, Place] = field(default_factory=dict)
    plain: dict[Keys, str] = field(default_factory=dict)
    plain_keys: dict[Keys, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    unreadable: set[Keys] = field(default_factory=set)
    open_nodes: set[int] = field(default_factory=set)
    nodes: int = 0

    def document(self, root: yaml.Node | None) -> YamlDocument:
        self.values[()] = START
        # An empty text has no root; one of comments after a line --- has an empty scalar.
        is_empty = root is None or (root.tag == f"{_TAG}null" and root.value == "")
        value = {} if root is None or is_empty else self.read(root, ())
        if self.nodes > _MAX_NODES:
            return _no_document(START, f"unfolds to more than {_MAX_NODES} values", "use fewer aliases (*)")
        return YamlDocument(
            value, self.values, self.keys, self.plain, self.plain_keys, tuple(self.faults), frozenset(self.unreadable)
        )

    def read(self, node: yaml.Node, keys: Keys) -> Any:
        self.nodes += 1
        if self.nodes > _MAX_NODES:  # the aliases of a small text can unfold to billions of values
            return None
        self.values[keys] = _place(node.start_mark)
        if id(node) in self.open_nodes:
            return self.refuse(node, keys, "an alias (*) refers to a value that it is itself part of")
        if len(keys) > _MAX_DEPTH:  # reached through aliases only; the text itself is checked before
            return self.refuse(node, keys, f"is nested more than {_MAX_DEPTH} levels deep")
        self.open_nodes.add(id(node))
        try:
            if isinstance(node, yaml.ScalarNode):
                return self.scalar(node, keys)
            if node.tag == f"{_TAG}map" and isinstance(node, yaml.MappingNode):
                return self.mapping(node, keys)
            if node.tag == f"{_TAG}seq" and isinstance(node, yaml.SequenceNode):
                return [self.read(item, (*keys, index)) for index, item in enumerate(node.value)]
            return self.refuse(node, keys, "has a tag (!), which means nothing here", "write the plain value")
        finally:
            self.open_nodes.discard(id(node))

    def refuse(self, node: yaml.Node, keys: Keys, message: str, hint: str = "") -> None:
        self.faults.append(Fault(_place(node.start_mark), keys, message, hint))
        self.unreadable.add(keys)

    def mapping(self, node: yaml.MappingNode, keys: Keys) -> dict[Hashable, Any]:
        result: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            place = _place(key_node.start_mark)
            if key_node.tag == f"{_TAG}merge":
                self.faults.append(Fault(place, keys, "merge keys (<<) are not supported", "write the keys out"))
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                self.faults.append(Fault(place, keys, "a key must be text, not a list or a mapping", "quote it"))
                continue
            before = len(self.faults)
            key, text = self.scalar_value(key_node, keys)
            if len(self.faults) > before:
                continue
            here = (*keys, key)
            if key in result:
                first = self.keys[here]
                message = f"is there twice; the first is at line {first.line}, column {first.column}"
                self.faults.append(Fault(place, here, message))
                continue
            self.keys[here] = place
            if text is not None:
                self.plain_keys[here] = text
            result[key] = self.read(value_node, here)
        return result

    def scalar(self, node: yaml.ScalarNode, keys: Keys) -> Any:
        before = len(self.faults)
        value, text = self.scalar_value(node, keys)
        if len(self.faults) > before:
            self.unreadable.add(keys)
        elif text is not None:
            self.plain[keys] = text
        return value

    def scalar_value(self, node: yaml.ScalarNode, keys: Keys) -> tuple[Any, str | None]:
        """The value of a scalar and, if it is written without quotes and without a tag, its text."""
        is_plain = not node.style
        implied = _RESOLVER.resolve(yaml.ScalarNode, node.value, (is_plain, not is_plain))
        place = _place(node.start_mark)
        if node.tag not in (implied, f"{_TAG}str") or node.tag not in _SCALAR_TAGS:
            hint = "write the plain value, in quotes if it begins with !"
            self.faults.append(Fault(place, keys, "has a tag (!), which means nothing here", hint))
            return None, None
        text = node.value if is_plain and node.tag == implied else None
        if node.tag in (f"{_TAG}str", f"{_TAG}value"):
            return node.value, text
        # Of 1:1:1…, a number of base 60, the constructor's time grows with the square of the length.
        value = None if len(node.value) > _LONGEST_NUMBER else _constructed(node)
        if value is _NO_VALUE:
            self.faults.append(Fault(place, keys, "looks like a number or a date, but is not a valid one", "quote it"))
            return None, None
        if len(node.value) > _LONGEST_NUMBER or (isinstance(value, int) and not -_TOO_LARGE < value < _TOO_LARGE):
            self.faults.append(Fault(place, keys, "is a number with more digits than any value here has", "quote it"))
            return None, None
        return value, text


def _constructed(node: yaml.ScalarNode) -> Any:
    try:
        return SafeConstructor().construct_object(node)
    except (ValueError, OverflowError):  # 2026-13-45 looks like a date, 0b_ like a number
        return _NO_VALUE
