"""Decides in which browser the pages are looked at: Debian's headless Chromium, with what judges accessibility.

Chromium and those of its libraries that this machine lacks are unpacked below .tools/browser, nothing is installed;
axe-core, the rules for accessibility, comes from npm.
"""

import re
import shutil
import sys
from pathlib import Path

from fetch_servers import (
    TOOLS,
    Deadline,
    FetchError,
    configured_apt,
    download_packages,
    emptied,
    fetch_once,
    put_in_place,
    read_package_lists,
    require_apt,
    run,
    unpack_archives,
)

BROWSER = TOOLS / "browser"
CHROMIUM = BROWSER / "usr/lib/chromium/chromium-headless-shell"
AXE = BROWSER / "node_modules/axe-core/axe.min.js"
_PACKAGES = ("chromium-headless-shell", "fonts-dejavu-core")
_AXE_VERSION = "axe-core@4.14.1"
_INSTALLED = 'Dir::State::status "/var/lib/dpkg/status";\n'


def _packages_to_unpack(configuration: Path, deadline: Deadline) -> list[str]:
    """Return the packages that apt would install: Chromium and what it needs beyond the packages of this machine."""
    options = ["-q", f"--config-file={configuration}", "--no-install-recommends", "--simulate"]
    answer = run(["apt-get", *options, "install", *_PACKAGES], deadline, TOOLS)
    if answer.returncode != 0:
        raise FetchError(f"apt-get install --simulate: {answer.stderr[-300:]}")
    return re.findall(r"^Inst (\S+)", answer.stdout, re.MULTILINE)


def _fetch_browser(deadline: Deadline) -> None:
    require_apt()
    if shutil.which("npm") is None:
        raise FetchError("npm is missing on this machine")
    configuration = configured_apt(TOOLS / "browser_apt", _INSTALLED)
    update_error = read_package_lists(configuration, deadline)
    packages = _packages_to_unpack(configuration, deadline)
    print(f"Downloading and unpacking {len(packages)} packages ...", flush=True)
    folder = emptied(BROWSER.with_name("browser.part"))
    unpack_archives(download_packages(packages, configuration, deadline, update_error), folder, deadline)
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    answer = run(["npm", "install", *quiet, "--prefix", str(folder), _AXE_VERSION], deadline, folder)
    if answer.returncode != 0:
        raise FetchError(f"npm install {_AXE_VERSION}: {answer.stderr[-300:]}")
    if missing := [path for path in (CHROMIUM, AXE) if not (folder / path.relative_to(BROWSER)).exists()]:
        raise FetchError(f"what was fetched lacks {', '.join(path.name for path in missing)}")
    put_in_place(folder, BROWSER)
    shutil.rmtree(configuration.parent)


if __name__ == "__main__":
    sys.exit(fetch_once("browser", lambda: CHROMIUM.exists() and AXE.exists(), _fetch_browser))
