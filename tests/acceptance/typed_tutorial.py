"""docs/tutorial.md typed as its reader types it: all of its console blocks, one command after the other."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.console_blocks import Command, commands_of
from tests.acceptance.typed_shell import typed_shell
from tests.servers import free_port
from tests.started import neutral_environment

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text("utf-8")
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PORT = re.compile(r"(?<=127\.0\.0\.1:)\d+")

Typed = tuple[Command, str, int]
"""A command of the page, what was then to be seen of its output, and its exit status."""


def commands_of_tutorial() -> Iterator[Command]:
    """Every command of the page, with a free port in the place of each of the page's ports."""
    free = {port: str(free_port()) for port in sorted(set(_PORT.findall(PAGE)))}
    for block in _BLOCK.findall(_PORT.sub(lambda found: free[found[0]], PAGE)):
        yield from commands_of(block)


@contextmanager
def typed_tutorial(folder: Path, servers: Path) -> Iterator[Iterator[Typed]]:
    """Type the page in an empty folder, each command when it is asked for; what it has started ends with the block.

    PATH leads to facemon and the servers, as after the page's section Install.
    """
    programs = f"{Path(sys.executable).parent}:{servers.resolve()}/usr/bin"
    # The unpacked Alertmanager looks for its templates below the folder, the installed one below /usr/share.
    (folder / "usr").symlink_to(servers.resolve() / "usr")
    with typed_shell(folder, neutral_environment() | {"PATH": f"{programs}:/usr/bin:/bin"}) as shell:
        yield ((command, *shell.type(command.line)) for command in commands_of_tutorial())
