"""Decides what draws panels of dashboards for `make pictures`: Grafana's own components, of npm.

They are installed, bundled with tools/panels/panels.jsx into one script, and removed again: of 320 MB less than 5 stay
below .tools/panels. Two packages that no panel needs are left out: the editor Monaco, and the sender of telemetry.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path

from fetch_servers import TOOLS, Deadline, FetchError, emptied, fetch_once, put_in_place, run

PANELS = TOOLS / "panels"
"""What a server gives below `/` to a page that draws panels."""
SOURCE = Path(__file__).parent / "panels"
_MADE_OF = "made-of.txt"
_FONTS = {
    "inter/Inter-Regular.woff2": "inter/files/inter-latin-400-normal.woff2",
    "inter/Inter-Medium.woff2": "inter/files/inter-latin-500-normal.woff2",
    "inter/Inter-Italic.woff2": "inter/files/inter-latin-400-italic.woff2",
    "inter/Inter-MediumItalic.woff2": "inter/files/inter-latin-500-italic.woff2",
    "roboto/L0xTDF4xlVMF-BfR8bXMIhJHg45mwgGEFl0_3vrtSM1J-gEPT5Ese6hmHSh0mQ.woff2": (
        "roboto-mono/files/roboto-mono-latin-400-normal.woff2"
    ),
}
"""Where Grafana's style looks for its fonts, and where they are among the packages of Fontsource."""


def _digest() -> str:
    """What the script is made of: it is made anew when that changes."""
    files = (Path(__file__), *sorted(SOURCE.iterdir()))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _is_complete() -> bool:
    made_of = PANELS / _MADE_OF
    return made_of.exists() and made_of.read_text(encoding="utf-8") == _digest()


def _must_run(command: list[str], folder: Path, deadline: Deadline) -> None:
    answer = run(command, deadline, folder)
    if answer.returncode != 0:
        raise FetchError(f"{' '.join(command[:2])}: {answer.stderr[-300:] or answer.returncode}")


def _fetch_panels(deadline: Deadline) -> None:
    if shutil.which("npm") is None:
        raise FetchError("npm is missing on this machine")
    work = emptied(TOOLS / "panels.part")
    shutil.copytree(SOURCE, work, dirs_exist_ok=True)
    (work / "nothing").mkdir()
    (work / "nothing/package.json").write_text(json.dumps({"name": "nothing", "version": "0.0.0"}), encoding="utf-8")
    print("Installing Grafana's components ...", flush=True)
    # npm would install the peers of packages too, such as eslint.
    quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]
    _must_run(["npm", "install", "--legacy-peer-deps", *quiet], work, deadline)
    _bundle(work, deadline)
    put_in_place(work / "made", PANELS)
    shutil.rmtree(work)


def _bundle(work: Path, deadline: Deadline) -> None:
    """Make the script and its style in `made`, beside the icons and fonts where Grafana's components look for them."""
    made = work / "made"
    options = ["--bundle", "--minify", "--jsx=automatic", "--loader:.svg=dataurl", "--external:monaco-editor"]
    options += ['--define:process.env.NODE_ENV="production"', f"--outfile={made / 'panels.js'}", "--log-level=error"]
    _must_run(["node_modules/.bin/esbuild", "panels.jsx", *options], work, deadline)
    packages = work / "node_modules"
    shutil.copytree(packages / "@grafana/ui/dist/public/img", made / "public/build/img")
    for name, file in _FONTS.items():
        target = made / "public/fonts" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(packages / "@fontsource" / file, target)
    (made / _MADE_OF).write_text(_digest(), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(fetch_once("panels", _is_complete, _fetch_panels))
