"""One colour for one meaning, on every dashboard: red is always bad, orange undecided or refused, green good."""

from dataclasses import dataclass

GOOD, BAD, WARNING, SILENT, NEUTRAL = "green", "red", "orange", "purple", "blue"


@dataclass(frozen=True, slots=True)
class Colour:
    """The colour of the series whose names match a regular expression; several of them get shades of it."""

    pattern: str
    name: str


HTTP_CODES = (Colour("^[123]", GOOD), Colour("^4", WARNING), Colour("^5", BAD))
OUTCOMES = (Colour("^ok", GOOD), Colour("^no_face", NEUTRAL), Colour("^failed", BAD))
ERRORS = (Colour("^errors", BAD),)
QUANTILES = (Colour("^P50$", "light-blue"), Colour("^P95$", "blue"), Colour("^P99$", "dark-blue"))
LIMITS = (Colour("^limit of", BAD),)
REMEMBERED = (Colour("^hit$", GOOD), Colour("^shared$", NEUTRAL))
