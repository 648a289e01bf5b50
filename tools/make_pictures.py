"""Makes the pictures of docs/pictures.md again (`make pictures`): terminals, the servers' pages, panels, reports."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from camera_day import photograph
from page_picture import Look, kept, serving, shown, taken
from panel_pictures import draw_dashboard
from picture_scene import BIN, NOW, environment, keep_metrics, run, write_scene
from terminal_picture import Typed, terminal_picture, typed
from write_docs import DOCS

from tests.pages.browser import Browser, browser

IMAGES = DOCS / "images"
_TERMINALS = {
    "predict.svg": (
        "Eight photographs are predicted",
        "A table of image, face, gender and age with their confidences.",
        ("facemon predict --no-store {entrance,yard}/11-25/000[0-3].jpg 2>/dev/null",),
    ),
    "drift-check.svg": (
        "A drift check finds that the camera in the yard went dark",
        "Brightness, contrast, sharpness and saturation of the images and both confidences drifted; exit code 3.",
        ("facemon drift-check", "echo $?"),
    ),
    "explain.svg": (
        "Why a column drifted",
        "The last check, the test, and both distributions of image_brightness.",
        ("facemon drift-check --explain image_brightness",),
    ),
}
"""Each picture of a terminal: its title, what it shows, and the commands that are typed."""
_PAGES = {
    "drift-page.webp": Look(height=1000),
    "report.webp": Look(height=1000),
    "report-phone.webp": Look(width=390, height=844),
    "status.webp": Look(height=900),
    "predict-page.webp": Look(height=1110, dark=True),
    "predict-page-phone.webp": Look(width=390, height=844),
    "swagger.webp": Look(height=700),
}
"""Each picture of a page, and how it is looked at."""
_DASHBOARD = "dashboard.webp"
MADE = (*_TERMINALS, *_PAGES, _DASHBOARD)


def main() -> int:
    """Make the scene in a new folder, and all pictures of it; answer the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        scene = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder)
        if not (scene / ".facemon").exists():
            write_scene(scene)
        for name, text in terminals(scene).items():
            (IMAGES / name).write_text(text, encoding="utf-8")
        # What the last check found, which the terminals showed.
        keep_metrics(scene, NOW)
        with browser() as chrome:
            for name in pages(chrome, scene):
                print(f"wrote docs/images/{name}", flush=True)
            draw_dashboard(chrome, scene, IMAGES / _DASHBOARD)
            print(f"wrote docs/images/{_DASHBOARD}")
    return 0


def terminal_name(name: str) -> bool:
    """Whether a picture is one of a terminal."""
    return name in _TERMINALS


def terminals(scene: Path) -> dict[str, str]:
    """Type the commands of each picture of a terminal; the exit code of one is shown by the next."""
    drawn = {}
    for name, (title, description, lines) in _TERMINALS.items():
        shown_lines: list[Typed] = []
        for line in lines:
            if line == "echo $?":
                shown_lines.append(Typed(line, str(shown_lines[-1].code), 0))
            else:
                shown_lines.append(typed(line, cwd=scene, environment=environment(NOW), home="/srv/faces"))
        drawn[name] = terminal_picture(title, description, shown_lines)
    return drawn


def pages(chrome: Browser, scene: Path) -> Iterator[str]:
    """Take the pictures of pages, three hours after the last check, and yield their names."""
    later = environment(NOW + timedelta(hours=3))
    run(scene, NOW + timedelta(hours=3), "report", "-o", "report.html", "--since", "10d")
    drift = max((scene / ".facemon/reports").glob("drift-*.html"))
    with ExitStack() as stack:
        listen = ("--listen", "127.0.0.1:0")
        exporter = stack.enter_context(
            serving([BIN / "facemon", "serve-metrics", *listen], cwd=scene, environment=later)
        )
        api = stack.enter_context(serving([BIN / "facemon", "serve", *listen], cwd=scene, environment=later))
        urls = {
            "drift": drift.as_uri(), "report": (scene / "report.html").as_uri(), "status": f"{exporter}/",
            "predict": f"{api}/", "swagger": f"{api}/docs",
        }  # fmt: skip
        for name, look in _PAGES.items():
            page = shown(chrome, urls[name.split("-")[0].removesuffix(".webp")], look)
            if name.startswith("predict"):
                page.choose("#file", photograph())
                page.wait_for("document.getElementById('status').textContent.includes('found')")
            elif name.startswith("swagger"):
                page.wait_for("document.querySelectorAll('.opblock').length == 4")
            kept(taken(page, look), IMAGES / name, has_photograph=name.startswith("predict"))
            yield name


if __name__ == "__main__":
    sys.exit(main())
