"""Writes what is made from the code (`make docs`): pages of docs/, their pictures, and the explained configuration."""

from pathlib import Path

import draw_machines
import draw_verdicts
from verdict_figures import plan_table

from facemon.config.explained_configuration import TEMPLATE, explained_configuration
from facemon.domain.metric_catalogue import CATALOGUE
from facemon.metrics.catalogue_page import catalogue_page

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
CONFIGURATION = ROOT / "configs/facemon.yaml"
_VERDICTS = DOCS / "verdicts.md"
_BEGIN, _END = "<!-- made by make docs -->\n", "<!-- end of what make docs made -->\n"


def every_picture() -> dict[str, str]:
    """Return the name of each picture's file, and the SVG text that belongs in it."""
    return draw_verdicts.pictures() | draw_machines.pictures()


def pages() -> dict[Path, str]:
    """Each file and the text that belongs in it; of a page that is written by hand its table alone is made."""
    drawn = {DOCS / "images" / name: text for name, text in every_picture().items()}
    verdicts = with_table(_VERDICTS.read_text(encoding="utf-8"), plan_table())
    explained = explained_configuration(TEMPLATE.read_text(encoding="utf-8"))
    metrics = catalogue_page(CATALOGUE.values())
    return {DOCS / "metrics.md": metrics, _VERDICTS: verdicts, CONFIGURATION: explained, **drawn}


def with_table(page: str, table: str) -> str:
    """Put a table between the marks of a page; ValueError where the marks are not there once."""
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end) or _BEGIN in after:
        raise ValueError(f"{_BEGIN.strip()} and {_END.strip()} must be in the page once")
    return f"{before}{begin}{table}\n{end}{after}"


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
