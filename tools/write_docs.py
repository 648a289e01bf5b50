"""Writes the pages of docs/ that are made from the code (`make docs`)."""

from pathlib import Path

from facemon.metrics.catalogue_page import catalogue_page
from facemon.values.metric_catalogue import CATALOGUE

DOCS = Path(__file__).resolve().parent.parent / "docs"


def pages() -> dict[Path, str]:
    """Each page's file and the text that belongs in it."""
    return {DOCS / "metrics.md": catalogue_page(CATALOGUE.values())}


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
