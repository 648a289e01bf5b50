"""The documentation site: its menu names each page, its reference each name of the code, its links lead somewhere."""

from pathlib import Path

import build_site
import pytest
from build_site import SiteError, dead_links, foreign_requests, menu_faults, staged, without_content_networks
from reference_configuration import sections
from reference_pages import each_command, every_alert
from typer.core import TyperGroup

import facemon
from facemon.config.alerts import DEFAULT_ALERTS
from facemon.config.document import Config

PAGES = staged()
HOW_TO = sorted(name for name in PAGES if name.startswith("how-to/"))
SHIM = '<p>text</p><script src="https://unpkg.com/iframe-worker/shim" type="text/javascript"></script>'
FOREIGN = {
    "a.html": '<img alt="" src="https://elsewhere.example/a.png"><a href="https://elsewhere.example">none</a>',
    "b.html": "<link rel=stylesheet href=//elsewhere.example/b.css><link rel=canonical href=https://elsewhere.example/>",
    "c.css": "@import 'https://elsewhere.example/c.css'; .c { background: url(https://elsewhere.example/c.png) }",
    "d.js": 'load("https://cdn.jsdelivr.net/d.js")',
}


def test_the_menu_names_each_page_once() -> None:
    assert menu_faults(PAGES) == []


def test_a_page_that_the_menu_does_not_name_is_a_fault() -> None:
    (fault,) = menu_faults({**PAGES, "lost.md": "# Lost"})
    assert fault.startswith("lost.md is not in the menu")
    (fault,) = menu_faults({name: text for name, text in PAGES.items() if name != "index.md"})
    assert "index.md is in the menu" in fault


@pytest.mark.parametrize("page", HOW_TO)
def test_a_how_to_page_says_what_it_gives_and_what_comes_next(page: str) -> None:
    title, blank, first, *_ = PAGES[page].split("\n")
    assert title.startswith("# ")
    assert blank == ""
    assert first
    assert not first.startswith(("#", "`", "|", "-"))
    assert "](" in PAGES[page].rpartition("\n## Next\n\n- ")[2]
    assert "\n## Next\n\n- " in PAGES[page]


def test_the_reference_has_each_command() -> None:
    for words, command, _ in each_command():
        assert f"## facemon {words}".rstrip() + "\n" in PAGES["reference/commands.md"]
        assert isinstance(command, TyperGroup) or f"| `facemon {words}` |" in PAGES["reference/exit-codes.md"]


def test_the_reference_has_each_key_of_the_configuration() -> None:
    page = PAGES["reference/configuration.md"]
    for path, section in sections(Config):
        assert f"## {path}\n" in page or f"`{path}`" in page or not path
        for name, field in section.model_fields.items():
            assert field.exclude or f"| `{field.alias or name}` |" in page


def test_the_reference_says_what_each_key_means() -> None:
    rows = [row.split(" | ") for row in PAGES["reference/configuration.md"].splitlines() if row.startswith("| `")]
    assert len(rows) > 400
    assert [row for row in rows if len(row) != 4 or len(row[3].strip(" |").split()) < 2] == []


def test_the_reference_has_each_alert() -> None:
    assert every_alert().keys() == DEFAULT_ALERTS.keys()
    assert [name for name in DEFAULT_ALERTS if f"\n## {name}\n" not in PAGES["reference/alerts.md"]] == []


def test_the_reference_has_what_facemon_offers() -> None:
    offered = set(facemon.__all__) - {"__version__"}
    assert [name for name in offered if f"\n## {name}\n" not in PAGES["reference/python-api.md"]] == []


def test_a_link_that_leads_to_no_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text("```text\n[code](lost.md)\n```\n\n[a link](lost.md#there)\n")
    monkeypatch.setattr(build_site, "ROOT", tmp_path)
    monkeypatch.setattr(build_site, "_OTHER_PAGES", {})
    with pytest.raises(SiteError, match=r"docs/page\.md: the link lost\.md leads to no file"):
        staged()


def test_links_that_leave_the_documentation_lead_to_their_place_on_the_site() -> None:
    assert "](project/security.md)" in PAGES["troubleshooting.md"]
    assert "](../examples/own_metrics.py)" in PAGES["how-to/own-metrics.md"]
    assert "](../architecture.md#to-add-an-alert)" in PAGES["project/contributing.md"]


def test_what_a_browser_would_fetch_elsewhere_is_found(tmp_path: Path) -> None:
    for name, text in FOREIGN.items():
        (tmp_path / name).write_text(text)
    found = foreign_requests(tmp_path)
    assert sorted(each.split(":")[0] for each in found) == ["a.html", "b.html", "c.css", "c.css", "d.js"]


def test_references_to_content_networks_are_removed(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(SHIM)
    (tmp_path / "d.js").write_text(FOREIGN["d.js"])
    without_content_networks(tmp_path)
    assert foreign_requests(tmp_path) == []
    assert (tmp_path / "a.html").read_text() == '<p>text</p><script src="assets/worker.js"></script>'


def test_dead_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a id="here" href="b.html#there"></a><a href="#here"></a><a href=lost.png></a>')
    (tmp_path / "b.html").write_text("<a href=a.html#here></a><a href=mailto:x@y.example></a>")
    assert dead_links(tmp_path) == ["a.html: b.html#there", "a.html: lost.png"]
