"""Checks templates of notifications before Alertmanager fills them in, when it is too late: at the first alert.

Follows the grammar of Go's text/template as far as notifications need it, with the functions and data of Alertmanager
0.25, which newer ones have too. See https://pkg.go.dev/text/template and Alertmanager's notification reference.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

FUNCTIONS = frozenset({
    "and", "or", "not", "len", "index", "slice", "print", "printf", "println", "html", "js", "urlquery",
    "eq", "ne", "lt", "le", "gt", "ge",
    "toUpper", "toLower", "title", "join", "match", "safeHtml", "reReplaceAll", "stringSlice",
})  # fmt: skip
"""Go's own, but for `call`, and those of Alertmanager 0.25."""
TEMPLATES = frozenset({
    "__alertmanager", "__alertmanagerURL", "__subject", "email.default.subject",
    "pagerduty.default.description", "slack.default.fallback", "slack.default.text", "slack.default.title",
})  # fmt: skip
"""Templates that each Alertmanager brings."""
_DATA = frozenset({
    "Receiver", "Status", "Alerts", "GroupLabels", "CommonLabels", "CommonAnnotations", "ExternalURL",
})  # fmt: skip
_ALERT = frozenset({"Status", "Labels", "Annotations", "StartsAt", "EndsAt", "GeneratorURL", "Fingerprint"})
_OF_ALERTS = frozenset({"Firing", "Resolved"})
_PAIRS = frozenset({"Names", "Values"})
_PAIR = frozenset({"Name", "Value"})
_TEXT = frozenset[str]()
"""What has no names of its own."""
_LABELS = ("GroupLabels", "CommonLabels", "CommonAnnotations", "Labels", "Annotations")
"""Sets of labels, in which any name may be one of a label."""
_KEYWORDS = frozenset({"if", "else", "end", "range", "with", "template", "block", "define", "break", "continue"})

_ALERTS = re.compile(r"(?P<data>\$?)\.Alerts(\.Firing|\.Resolved)?")
_SORTED = re.compile(r"\$?\.\w*Labels\.SortedPairs")
_FIRST_ALERT = re.compile(r"index \$?\.Alerts(\.Firing|\.Resolved)? \d+\)")
_METHODS = frozenset({"Format", "Remove", "In", "Truncate", "Round"})
"""What takes an argument of the names after a dot: methods of times and of sets of labels."""
_ACTION = re.compile(
    r"\{\{(?P<comment>(?:-\s)?/\*.*?\*/(?:\s-)?\}\})?(?:-(?=\s))?"
    r'(?P<inside>(?:"(?:[^"\\\n]|\\.)*"|`[^`]*`|(?!\}\})[^"`])*)(?P<end>\}\})?',
    re.DOTALL,
)
_TOKEN = re.compile(r"""
    (?P<space>\s+)
  | (?P<text>"(?:[^"\\\n]|\\(?:[abfnrtv\\"]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[0-7]{3}))*"|`[^`]*`)
  | (?P<number>[+-]?\d+(?:\.\d+)?(?![\w.]))
  | (?P<variable>\$\w*)
  | (?P<field>\.\w+)
  | (?P<dot>\.(?![\w.]))
  | (?P<word>[^\W\d]\w*)
  | (?P<sign>:=|[=|(),])
""", re.VERBOSE)  # fmt: skip


class TemplateError(ValueError):
    """A fault of a template, with its line."""


@dataclass(slots=True)
class _Block:
    """An `if`, `range` or `with` that is open: what its dot is, and which variables were there before it."""

    keyword: str
    dot: frozenset[str] | None
    variables: frozenset[str]
    has_else: bool = False


@dataclass(slots=True)
class _Checker:
    """Goes through the actions; `dot` is the set of fields that the dot has, none where they are not known."""

    line: int = 1
    dot: frozenset[str] | None = _DATA
    variables: frozenset[str] = frozenset({"$"})
    open: list[_Block] = field(default_factory=list)

    def fail(self, fault: str) -> NoReturn:
        raise TemplateError(f"line {self.line} {fault}")

    def action(self, text: str) -> None:
        tokens = _Tokens(list(self._tokens(text)), self)
        if tokens.kind == "word" and tokens.value in _KEYWORDS:
            self._keyword(tokens)
        else:
            self._declared_pipeline(tokens, set(), commas=False)
        tokens.must_end()

    def _tokens(self, text: str) -> Iterator[tuple[str, str]]:
        place, text = 0, text.strip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                self.fail(f"has {text[place : place + 10]!r}, which no template can have there")
            yield str(found.lastgroup), found.group()
            place = found.end()

    def _keyword(self, tokens: "_Tokens") -> None:
        keyword = tokens.take()
        match keyword:
            case "if" | "with" | "range":
                self._opened(keyword, tokens)
            case "else":
                self._else(tokens)
            case "end":
                if not self.open:
                    self.fail("has an {{ end }} that nothing begins")
                self._restore(self.open.pop())
            case "template":
                self._template(tokens)
            case "break" | "continue" if any(block.keyword == "range" for block in self.open):
                pass
            case _:
                self.fail(f"has {{{{ {keyword} }}}}, which cannot be here")

    def _opened(self, keyword: str, tokens: "_Tokens") -> None:
        block = _Block(keyword, self.dot, self.variables)
        tokens.must_have_space()
        alerts, pairs = (pattern.fullmatch(tokens.rest.strip()) for pattern in (_ALERTS, _SORTED))
        known = alerts is not None and (bool(alerts["data"]) or self.dot is _DATA)
        self._declared_pipeline(tokens, set(), commas=keyword == "range")
        self.open.append(block)
        if keyword == "range":
            self.dot = _ALERT if known else _PAIR if pairs else None
        elif keyword == "with":
            self.dot = None

    def _else(self, tokens: "_Tokens") -> None:
        if not self.open or self.open[-1].has_else:
            self.fail("has an {{ else }} that belongs to nothing")
        block = self.open[-1]
        self._restore(block)
        tokens.space()
        if tokens.kind == "word" and tokens.value == "if" and block.keyword == "if":
            tokens.take()
            tokens.must_have_space()
            self._declared_pipeline(tokens, set(), commas=False)
            return
        block.has_else = True

    def _restore(self, block: _Block) -> None:
        self.dot, self.variables = block.dot, block.variables

    def _template(self, tokens: "_Tokens") -> None:
        tokens.must_have_space()
        name = tokens.take()[1:-1] if tokens.kind == "text" else ""
        if name not in TEMPLATES:
            self.fail(f"names the template {name!r}; Alertmanager has {', '.join(sorted(TEMPLATES))}")
        tokens.space()
        if not tokens.ended:
            self._declared_pipeline(tokens, set(), commas=False)

    def _declared_pipeline(self, tokens: "_Tokens", declared: set[str], *, commas: bool) -> None:
        """A pipeline, with the variables that it is given to."""
        while tokens.kind == "variable" and tokens.declares:
            name = tokens.take()
            declared.add(name)
            tokens.space()
            sign = tokens.take()
            if sign == "=" and name not in self.variables:
                self.fail(f"sets {name}, which nothing declares: write {name} := first")
            tokens.space()
            if sign != ",":
                break
            if not commas or len(declared) > 1:
                self.fail("has a comma, which only range can have")
        self._pipeline(tokens)
        self.variables |= declared

    def _pipeline(self, tokens: "_Tokens") -> None:
        stage = 0
        while True:
            self._command(tokens, stage)
            if tokens.value != "|" or tokens.kind != "sign":
                return
            tokens.take()
            tokens.space()
            stage += 1

    def _command(self, tokens: "_Tokens", stage: int) -> None:
        kinds: list[str] = []
        while not tokens.ended and tokens.value not in ("|", ")"):
            kinds.append(self._operand(tokens, first=not kinds))
            if not (tokens.space() or tokens.ended or tokens.value in ("|", ")")):
                self.fail(f"has {tokens.value!r} without a space before it")
        if not kinds:
            self.fail("has nothing where a value must be")
        if kinds[0] == "nil" or ((stage or len(kinds) > 1) and kinds[0] not in ("function", "method")):
            self.fail("gives a value to what is not a function")

    def _operand(self, tokens: "_Tokens", *, first: bool) -> str:
        kind, value = tokens.kind, tokens.take()
        match kind:
            case "word":
                return self._word(value, first=first)
            case "variable" if value not in self.variables:
                self.fail(f"has the variable {value}, which nothing declares")
            case "variable":
                return self._fields(tokens, _DATA if value == "$" else None)
            case "field":
                return self._fields(tokens, self.dot, value)
            case "sign" if value == "(":
                tokens.space()
                known = _ALERT if _FIRST_ALERT.match(tokens.rest) else None
                self._pipeline(tokens)
                if tokens.ended or tokens.take() != ")":
                    self.fail("has a ( that no ) ends")
                return self._fields(tokens, known)
            case "sign":
                self.fail(f"has {value!r}, which no template can have there")
        return kind

    def _word(self, value: str, *, first: bool) -> str:
        if value in ("true", "false", "nil"):
            return "nil" if value == "nil" else "constant"
        if value not in FUNCTIONS:
            self.fail(f"has {value!r}, which is not a function of Alertmanager; labels are .CommonLabels.{value}")
        return "function" if first else "value"

    def _below(self, name: str, known: frozenset[str] | None, *, labels: bool) -> tuple[frozenset[str] | None, bool]:
        """The names below a name, none where they are not known, and whether it is a set of labels."""
        if labels:
            below = {"SortedPairs": _PAIRS, "Names": None, "Values": None, "Remove": None}
            return below.get(name, _TEXT), False
        if known is None or name in ("StartsAt", "EndsAt"):
            return None, False
        if name == "Alerts":
            return _OF_ALERTS, False
        return (None, True) if name in _LABELS else (_TEXT if known in (_DATA, _ALERT) else None, False)

    def _fields(self, tokens: "_Tokens", known: frozenset[str] | None, name: str = "") -> str:
        """A chain such as .Alerts.Firing, whose names are known as far as they are Alertmanager's."""
        last, labels = "", False
        while name or tokens.kind == "field":
            last = name = (name or tokens.take()).removeprefix(".")
            if known is not None and name not in known:
                there = ", ".join(f".{each}" for each in sorted(known)) or "no names below a text"
                self.fail(f"has .{name}; there are {there}")
            known, labels = self._below(name, known, labels=labels)
            name = ""
        return "method" if last in _METHODS else "field"


@dataclass(slots=True)
class _Tokens:
    """What is left of an action."""

    left: list[tuple[str, str]]
    checker: _Checker

    @property
    def kind(self) -> str:
        return self.left[0][0] if self.left else ""

    @property
    def value(self) -> str:
        return self.left[0][1] if self.left else ""

    @property
    def ended(self) -> bool:
        return not self.left

    @property
    def rest(self) -> str:
        return "".join(value for _, value in self.left)

    @property
    def declares(self) -> bool:
        """Whether := or = or a comma comes next after this variable."""
        others = [value for kind, value in self.left[1:3] if kind != "space"]
        return bool(others) and others[0] in (":=", "=", ",")

    def take(self) -> str:
        if not self.left:
            self.checker.fail("has nothing where a value must be")
        return self.left.pop(0)[1]

    def space(self) -> bool:
        """Whether there was a space."""
        if self.kind != "space":
            return False
        self.left.pop(0)
        return True

    def must_have_space(self) -> None:
        if not self.space() and not self.ended:
            self.checker.fail(f"has {self.value!r} without a space before it")

    def must_end(self) -> None:
        self.space()
        if self.left:
            self.checker.fail(f"has {self.value!r}, which no template can have there")


def checked_template(text: str) -> str:
    """The text, if Alertmanager can fill it in; TemplateError says what is wrong, in which line."""
    checker, place = _Checker(), 0
    while (found := _ACTION.search(text, place)) is not None:
        checker.line += text.count("\n", place, found.start())
        if found["comment"] is None:
            if found["end"] is None:
                checker.fail("has a {{ that no }} ends")
            checker.action(re.sub(r"\s-$", " ", found["inside"]))
        end = found.end("comment") if found["comment"] else found.end()
        checker.line += text.count("\n", found.start(), end)
        place = end
    if checker.open:
        checker.line += text.count("\n", place)
        checker.fail(f"is the last, and a {{{{ {checker.open[-1].keyword} }}}} lacks its {{{{ end }}}}")
    return text
