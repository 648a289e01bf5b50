"""Texts of alerts: Go templates with three kinds of placeholder, which the generated tests can fill in themselves."""

import re
from collections.abc import Mapping

_PLACEHOLDER = re.compile(
    r"\{\{ \$labels\.(?P<label>\w+) \}\}"
    r'|\{\{ \$value \| printf "%\.(?P<digits>\d)f" \}\}'
    r"|(?P<percentage>\{\{ \$value \| humanizePercentage \}\})"
)
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


def expand(template: str, labels: Mapping[str, str], number: float) -> str | None:
    """The text as Prometheus will write it; None when only Prometheus can tell."""

    def filled(match: re.Match[str]) -> str:
        if match["label"]:
            return labels.get(match["label"], "")
        if match["digits"]:
            return f"{number:.{match['digits']}f}"
        return f"{number * 100:.4g}%"

    # Literal braces first: what they stand for must not be taken for a placeholder.
    pieces = [_PLACEHOLDER.sub(filled, piece) for piece in template.split(_BRACES)]
    rest = [_PLACEHOLDER.sub("", piece) for piece in template.split(_BRACES)]
    return None if any("{{" in piece for piece in rest) else "{{".join(pieces)
