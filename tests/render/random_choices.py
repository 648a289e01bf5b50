"""What random configurations are drawn from: names, texts that break naive writers, addresses, files of secrets."""

import re
import string
from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

Document = dict[str, Any]
_T = TypeVar("_T")

_LITERAL = (
    '"', "'", '"""', "`", "\\", "\\n", "\n", "\n\n  ", "\t", "{", "}", "{{ }}", "{{ . }}", "{{", "}}", "{% x %}",
    "${HOME}", "$", "$$", "$1", "$__all", "%", "%s", "#", ": ", "- ", "? ", "&a", "*a", "!!int", "|", ">", "@", "[",
    "]", ",", "<b>", "&amp;", "no", "null", "~", "1e-3", "0o7", "12:30", "ü", "ß", "日本", "🙂", "\u00a0", "\u2028",
    "\x85", "\x1b", " ", "  x",
)  # fmt: skip
_FILLED = ("{{ $value }}", "{{ $labels.job | toUpper }}")
_TEMPLATE = (*(piece for piece in _LITERAL if "{{" not in piece), *_FILLED)
_VALID_TEMPLATE = re.compile(rf"(?:(?!{{{{).|{'|'.join(map(re.escape, _FILLED))})*", re.DOTALL)
_PATH = ("a", "-", "%20", "{x}", "{{y}}", "$z", '"', "'", "ü", "?q=1&r", "/")
_MAILBOXES = ("a", "o'neil+x", "{{a}}", "a.b-c", "$_`|~", "x" * 64)
LONGEST = 200
"""What names may be long at the most."""
LABELS = ("team", "where", "Owner", "_x1", "x__y", "l" * LONGEST)
SHORT = ("500ms", "1s", "7s", "15s", "30s", "1m", "90s")
FOR = ("0s", *SHORT, "5m", "10m", "1h")
"""Durations of which the shortest and the longest are drawn alike."""


class Choices:
    """What a configuration is drawn from; secrets' files get a name each."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._secrets = 0

    def maybe(self, share: float = 0.5) -> bool:
        return self.random.random() < share

    def one(self, options: Sequence[_T]) -> _T:
        return options[self.random.randrange(len(options))]

    def some(self, options: Sequence[_T], least: int = 0) -> list[_T]:
        """Distinct ones, in their order."""
        count = self.random.randint(least, len(options))
        return [options[place] for place in sorted(self.random.sample(range(len(options)), count))]

    def times(self, most: int, least: int = 0) -> range:
        return range(self.random.randint(least, most))

    def text(self, pieces: Sequence[str] = _LITERAL, least: int = 1) -> str:
        """Words and what naive writers stumble over; sometimes of the greatest length, sometimes plain."""
        if self.maybe(0.3):
            return self.word()
        text = "".join(self.one(pieces) if self.maybe(0.7) else self.word() for _ in self.times(5, least))
        if self.maybe(0.05):
            text = (text or "x") * LONGEST
        return text[:LONGEST]

    def distinct(self, most: int, least: int = 0, pieces: Sequence[str] = _LITERAL) -> list[str]:
        return list(dict.fromkeys(self.text(pieces) for _ in self.times(most, least)))

    def template(self) -> str:
        """A text in which `{{` begins a template that there is; cut or glued pieces could make another."""
        text = self.text(_TEMPLATE)
        return text if _VALID_TEMPLATE.fullmatch(text) else "{{ $value }}"

    def word(self) -> str:
        return "".join(self.one(string.ascii_letters) for _ in self.times(6, 1))

    def labels(self, names: Sequence[str] = LABELS) -> dict[str, str]:
        return {name: self.text(least=0) for name in self.some(names)}

    def url(self) -> str:
        path = "".join(self.one(_PATH) for _ in self.times(5))
        return f"{self.one(('http', 'https'))}://{self.address(80)}{self.one(('', '/' + path))}"

    def address(self, port: int) -> str:
        return f"{self.one(('127.0.0.1', 'host.example', 'a-b', '[::1]', 'host.docker.internal'))}:{port}"

    def secret(self) -> str:
        self._secrets += 1
        folder = self.one(("secrets", ".", "../up", "/etc/facemon", "sec rets/ü"))
        return f"{folder}/secret_{self._secrets}{self.one(('', '.txt', '-x', '.PEM'))}"

    def email(self) -> str:
        return f"{self.one(_MAILBOXES)}@{self.one(('example.com', 'a-b.example', 'localhost'))}"

    def number(self, least: float, most: float) -> float:
        return round(self.random.uniform(least, most), self.random.randint(2, 6))
