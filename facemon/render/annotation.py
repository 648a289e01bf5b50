"""Texts of alerts: Go templates with a few kinds of placeholder, which the generated tests can fill in themselves."""

import re
from collections.abc import Mapping

from facemon.render.promql import number as shortest

_PLACEHOLDER = re.compile(
    r"\{\{ \$labels\.(?P<label>\w+)(?: \| (?P<case>toUpper|toLower))? \}\}"
    r'|(?P<value>\{\{ \$value(?: \| printf "%\.(?P<digits>\d)f"|(?P<percentage> \| humanizePercentage))? \}\})'
)
_ACTION = re.compile(r"\{\{((?:\"(?:[^\"\\]|\\.)*\"|`[^`]*`|[^\"`}]|\}(?!\}))*)\}\}")
_BRACES = "{{ `{{` }}"

PERCENTAGE = "{{ $value | humanizePercentage }}"


def label(name: str) -> str:
    """Stands for the alert's label `name`."""
    return f"{{{{ $labels.{name} }}}}"


def value(digits: int) -> str:
    """Stands for the alert's value with so many decimals."""
    return f'{{{{ $value | printf "%.{digits}f" }}}}'


def literal(text: str) -> str:
    """A template that gives `text`, whatever braces are in it."""
    return text.replace("{{", _BRACES)


def fault(template: str) -> str | None:
    """What keeps Prometheus from reading the template, as far as its braces tell; it would refuse the whole file."""
    actions = _ACTION.findall(template)
    if any(not action.strip("- \t\r\n") for action in actions):
        return "has nothing between {{ and }}"
    return "has a {{ that no }} ends" if "{{" in _ACTION.sub("", template) else None


def expand(template: str, labels: Mapping[str, str], number: float | None) -> str | None:
    """The text as Prometheus will write it, of an alert with this value; None when only Prometheus can tell."""
    # Literal braces first: what they stand for must not be taken for a placeholder.
    pieces = template.split(_BRACES)
    if any("{{" in _PLACEHOLDER.sub("", piece) for piece in pieces):
        return None
    if number is None and any(match["value"] for piece in pieces for match in _PLACEHOLDER.finditer(piece)):
        return None
    return "{{".join(_PLACEHOLDER.sub(lambda match: _filled(match, labels, number or 0.0), piece) for piece in pieces)


def _filled(match: re.Match[str], labels: Mapping[str, str], number: float) -> str:
    if match["label"]:
        text = labels.get(match["label"], "")
        return {"toUpper": text.upper(), "toLower": text.lower(), None: text}[match["case"]]
    if match["digits"]:
        return f"{number:.{match['digits']}f}"
    return f"{number * 100:.4g}%" if match["percentage"] else shortest(number)
