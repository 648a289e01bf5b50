"""The tutorial docs/tutorial.md as a reader types it: photographs, a reference, drift, and the alert in a mailbox."""

import mailbox
import re
from pathlib import Path

import pytest

from tests.acceptance.console_blocks import shows
from tests.acceptance.typed_tutorial import PAGE, commands_of_tutorial, typed_tutorial

pytestmark = pytest.mark.servers


def test_the_page_does_as_it_says(servers: Path, tmp_path: Path) -> None:
    with typed_tutorial(tmp_path, servers) as typed:
        for command, printed, code in typed:
            assert code == command.code, f"{command.line}\nended in {code}:\n{printed}"
            assert shows(command.shown, printed), f"{command.line}\n{printed}\nand the page has\n{command.shown}"
    mails = list(mailbox.Maildir(tmp_path / "mail", create=False))
    assert any("image_brightness" in mail["Subject"] and mail["To"] == "team@example.com" for mail in mails)


def test_every_line_with_a_prompt_is_typed() -> None:
    assert len(list(commands_of_tutorial())) == len(re.findall(r"^\$ ", PAGE, re.MULTILINE)) > 15
