"""Writes the golden files of the default stack: `python -m tests.golden.render.regenerate`, then read the diff."""

import shutil
from pathlib import Path

from facemon.render.stack import Part, render_stack
from tests.render.configurations import DEFAULTS, SCHEDULES, config_of

FOLDER = Path(__file__).parent


def regenerate() -> None:
    """Replace every golden file by what is rendered now."""
    for folder in ("monitoring", "schedules", ".github"):
        shutil.rmtree(FOLDER / folder, ignore_errors=True)
    schedules = render_stack(config_of(SCHEDULES), only=[Part.SCHEDULES])
    for path, text in (*render_stack(config_of(DEFAULTS)).files.items(), *schedules.files.items()):
        target = FOLDER / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    regenerate()
