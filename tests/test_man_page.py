"""The manual page: all that `--help` shows is in it, and its roff is sound."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from write_man import every_help_text, man_page

from facemon.terminal.help_page import COMMON_PANEL
from tests.patience import HANG_S

TEXTS = list(every_help_text())
PAGE = man_page(TEXTS, "2026-12-01")
MACROS = {"TH", "SH", "SS", "TP", "B", "PP", "nf", "fi", "RS", "RE"}


def shown(page: str) -> str:
    """The text of a page, without its requests."""
    text = "\n".join(re.sub(r"^\.(?:SH|SS|B) ?|^\.\w+.*$", "", line) for line in page.splitlines())
    for escape, sign in (("\\-", "-"), ("\\&", ""), ("\\(dq", '"'), ("\\e", "\\")):
        text = text.replace(escape, sign)
    return re.sub(r"\\\[u([0-9A-F]{4,5})\]", lambda found: chr(int(found[1], 16)), text)


def test_all_of_the_help_is_in_it() -> None:
    lines = shown(PAGE).splitlines()
    for text in TEXTS:
        entries = [
            each for title, entries in text.sections if title not in ("Commands", COMMON_PANEL) for each in entries
        ]
        expected = [text.words, text.usage, text.summary, *text.examples, text.exit_codes]
        expected += [part for entry in entries for part in entry]
        missing = [each for each in expected if " ".join(each.split()) not in lines and each]
        assert missing == [], text.words
        assert all(variable in shown(PAGE) for variable in text.variables)


def test_its_roff_is_sound() -> None:
    lines = PAGE.splitlines()
    assert lines[0].startswith(".TH FACEMON 1 ")
    assert [line[4:] for line in lines if line.startswith(".SH ")] == [
        "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "ENVIRONMENT", "EXIT STATUS", "EXAMPLES",
    ]  # fmt: skip
    requests = [line.split()[0][1:] for line in lines if line.startswith(".")]
    assert set(requests) == MACROS
    assert requests.count("RS") == requests.count("RE")
    assert PAGE.isascii()
    assert not [
        line for line in lines if re.search(r"\\(?![-&e]|\(dq|\[u[0-9A-F]{4,5}\])", line) or line != line.rstrip()
    ]


@pytest.mark.parametrize("line", [["man", "--warnings", "-l"], ["mandoc", "-Tlint"], ["groff", "-man", "-ww", "-z"]])
def test_a_formatter_has_no_complaint(line: list[str], tmp_path: Path) -> None:
    if shutil.which(line[0]) is None:
        pytest.skip(f"{line[0]} is not installed")
    (tmp_path / "facemon.1").write_text(PAGE)
    ran = subprocess.run(
        [*line, "facemon.1"], cwd=tmp_path, capture_output=True, encoding="utf-8", check=True, timeout=HANG_S
    )
    assert ran.stderr == ""
    assert line[0] == "groff" or "facemon" in ran.stdout.lower() or not ran.stdout
