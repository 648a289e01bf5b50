"""Builds the documentation site into site/ (`make docs`): docs/, and the reference that is made from the code.

Zensical's strict mode refuses broken links between pages. This module refuses the rest: a page that the menu does not
name, a link from a page to a file that the site lacks, and anything that a browser would fetch from another host.
"""

import html
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from fetch_peers import PEERS
from reference_pages import reference_pages

ROOT = Path(__file__).resolve().parent.parent
MENU = ROOT / "zensical.toml"
ZENSICAL = PEERS / "zensical" / "bin" / "zensical"
_OTHER_PAGES = {
    "CHANGELOG.md": "project/changelog.md", "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md", "CODE_OF_CONDUCT.md": "project/code-of-conduct.md",
    "benchmarks/RESULTS.md": "project/results.md", "benchmarks/PROVEN.md": "project/proven.md",
}  # fmt: skip
"""Pages of the repository that lie elsewhere, and where the site has them."""
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?(?=\))")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_FETCHED = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed|object|input)\b[^>]*?\s(?:src|data|poster)=\"?((?:https?:)?//[^\s\">]+)"
    r"|<link\b(?=[^>]*\brel=\"?(?:stylesheet|preconnect|preload|prefetch|dns-prefetch|icon|manifest|modulepreload))"
    r"[^>]*?\shref=\"?((?:https?:)?//[^\s\">]+)"
)
_FETCHED_BY_STYLE = re.compile(r"(?:url\(|@import\s+)[\"']?((?:https?:)?//[^\s\"')]+)")
_HREF = re.compile(r"<(?:a|img|link|script)\b[^>]*?\s(?:href|src)=(?:\"([^\"]*)\"|([^\s>]+))")
_ID = re.compile(r"\s(?:id|name)=(?:\"([^\"]+)\"|([^\s>]+))")


_SHIM = re.compile(r"<script\b[^>]*\bsrc=\"?https://unpkg\.com/iframe-worker/shim\b[^>]*></script>")
_NETWORK = re.compile(r"https://(?:unpkg\.com|cdn\.jsdelivr\.net)/[^\"']*")


class SiteError(Exception):
    """What keeps the site from being built, or is wrong with it."""


def staged() -> dict[str, str]:
    """Return each page of the site by its path, with links that lead to where the site has their targets."""
    docs = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "docs").rglob("*.md")}
    others = {name: ROOT / name for name in _OTHER_PAGES}
    pages = {_place(name): _with_links(path.read_text("utf-8"), name) for name, path in (docs | others).items()}
    made = reference_pages()
    listed = "".join(
        f"- [{text.partition(chr(10))[0][2:]}]({PurePosixPath(name).name})\n" for name, text in made.items()
    )
    pages["reference/index.md"] = f"{pages['reference/index.md']}\n## Pages\n\n{listed}"
    return pages | made


def _place(name: str) -> str:
    """Where the site has a file of the repository."""
    return _OTHER_PAGES.get(name) or name.removeprefix("docs/")


def _with_links(text: str, name: str) -> str:
    here = PurePosixPath(_place(name)).parent

    def moved(link: re.Match[str]) -> str:
        target = os.path.normpath(PurePosixPath(name).parent / link[1])
        if not (ROOT / target).is_file():
            raise SiteError(f"{name}: the link {link[1]} leads to no file")
        return os.path.relpath(_place(target), here) + (link[2] or "")

    blocks, rest = _FENCE.findall(text), _FENCE.split(text)
    parts = [_LINK.sub(moved, part) for part in rest]
    return "".join(part + (blocks[index] if index < len(blocks) else "") for index, part in enumerate(parts))


def linked_files(pages: dict[str, str]) -> Iterator[str]:
    """Yield what pages link to that is not a page, such as pictures and examples: paths of the site."""
    for name, text in pages.items():
        for link in _LINK.finditer(_FENCE.sub("", text)):
            target = os.path.normpath(PurePosixPath(name).parent / link[1])
            if target not in pages:
                yield target


def menu(entries: list[dict[str, Any]]) -> Iterator[str]:
    """Yield each page that the menu names."""
    for entry in entries:
        for value in entry.values():
            yield from [value] if isinstance(value, str) else menu(value)


def menu_faults(pages: dict[str, str]) -> list[str]:
    """Return the pages that the menu does not name, names twice, or that there are not."""
    named = list(menu(tomllib.loads(MENU.read_text("utf-8"))["project"]["nav"]))
    return [
        *(f"{page} is not in the menu of zensical.toml" for page in sorted(pages.keys() - set(named))),
        *(
            f"{page} is in the menu of zensical.toml, and there is no such page"
            for page in sorted({*named} - pages.keys())
        ),
        *(f"{page} is in the menu of zensical.toml twice" for page in sorted({*named}) if named.count(page) > 1),
    ]


def write_pages(pages: dict[str, str], folder: Path) -> None:
    """Put the pages, and the files that they link to, into the folder that Zensical reads, and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs" / "assets", folder / "assets")
    for name, text in pages.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for name in set(linked_files(pages)):
        source = ROOT / "docs" / name if (ROOT / "docs" / name).is_file() else ROOT / name
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / name)


def without_content_networks(site: Path) -> None:
    """Remove Zensical's references to content networks: a script in each page, and what its own script may add.

    The first lets the search run in pages that are opened as files; assets/worker.js takes its place. The second are
    libraries for diagrams, galleries and Python in the page, of which these pages have none.
    """
    for path in (*site.rglob("*.html"), *site.rglob("*.js")):
        text = path.read_text("utf-8")
        ours = f'<script src="{os.path.relpath(site / "assets" / "worker.js", path.parent)}"></script>'
        kept = _SHIM.sub(ours, text) if path.suffix == ".html" else _NETWORK.sub("data:,", text)
        if kept != text:
            path.write_text(kept, "utf-8")


def foreign_requests(site: Path) -> list[str]:
    """Return what a browser would fetch from another host to show the pages, by their HTML, CSS and scripts."""
    found = [
        f"{path.relative_to(site)}: {url}"
        for path in sorted(site.rglob("*.js"))
        for url in _NETWORK.findall(path.read_text("utf-8"))
    ]
    for path in sorted(site.rglob("*")):
        if path.suffix in {".html", ".css"}:
            text = path.read_text("utf-8")
            urls = [first or second for first, second in _FETCHED.findall(text)] if path.suffix == ".html" else []
            found += [f"{path.relative_to(site)}: {url}" for url in (*urls, *_FETCHED_BY_STYLE.findall(text))]
    return found


def dead_links(site: Path) -> list[str]:
    """Return the links inside the site whose file or anchor it lacks."""
    texts = {path: path.read_text("utf-8") for path in site.rglob("*.html")}
    anchors = {path: {first or second for first, second in _ID.findall(text)} for path, text in texts.items()}
    found = []
    for path, text in texts.items():
        for link in {html.unescape(first or second) for first, second in _HREF.findall(text)}:
            name, _, anchor = unquote(link).partition("#")
            if re.match(r"[a-z]+:|//", link) or path.name == "404.html":
                continue
            target = Path(os.path.normpath(path.parent / name)) if name else path
            target = target / "index.html" if target.is_dir() else target
            if not target.exists() or (anchor and target in anchors and anchor not in anchors[target]):
                found.append(f"{path.relative_to(site)}: {link}")
    return sorted(found)


def build(pages: dict[str, str], folder: Path = ROOT) -> Path:
    """Build the site below a folder, and return where it is; SiteError says what is wrong with it."""
    if not ZENSICAL.exists():
        raise SiteError("Zensical is not in .tools/peers: make docs installs it")
    if faults := menu_faults(pages):
        raise SiteError("\n".join(faults))
    write_pages(pages, folder / "build" / "site")
    if folder != ROOT:
        shutil.copyfile(MENU, folder / MENU.name)
    site = folder / "site"
    shutil.rmtree(site, ignore_errors=True)
    command: list[str | Path] = [ZENSICAL, "build", "--strict", "--clean"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if built.returncode != 0:
        raise SiteError(re.sub(r"\x1b\[[\d;]*m", "", built.stdout + built.stderr).partition("Traceback")[0])
    without_content_networks(site)
    foreign, dead = foreign_requests(site), dead_links(site)
    if foreign or dead:
        raise SiteError(
            "\n".join([*(f"fetched from elsewhere: {each}" for each in foreign), *(f"dead: {each}" for each in dead)])
        )
    return site


if __name__ == "__main__":
    try:
        every_page = staged()
        print(f"built {len(every_page)} pages into {build(every_page)}")
    except SiteError as error:
        sys.exit(f"the documentation site is not built:\n{error}")
