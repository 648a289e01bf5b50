"""What the shell that types a tutorial sees and leaves behind."""

import re
from functools import partial
from pathlib import Path

import pytest

from tests.acceptance.typed_shell import on_screen, typed_shell
from tests.patience import wait_until
from tests.started import neutral_environment


def has_ended(process: int) -> bool:
    """Whether a process is gone, or dead and not yet waited for."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_nothing_that_was_started_outlives_a_failure(tmp_path: Path) -> None:
    started: list[int] = []

    def fail_midway() -> None:
        with typed_shell(tmp_path, neutral_environment()) as shell:
            for command in ("sleep 1000 &", "(trap '' TERM HUP; sleep 1000; true) &"):
                found = re.fullmatch(r"\[\d\] (\d+)\n", shell.type(command)[0])
                assert found is not None
                started.append(int(found[1]))
            raise KeyError("midway")

    with pytest.raises(KeyError, match="midway"):
        fail_midway()
    for process in started:
        wait_until(partial(has_ended, process))


def test_each_command_is_seen_with_its_status(tmp_path: Path) -> None:
    with typed_shell(tmp_path, neutral_environment()) as shell:
        assert shell.type("cat > a <<'END'\n$ one\n\n> two\nEND") == ("", 0)
        assert shell.type("cat a; (exit 3)     # exit 3") == ("$ one\n\n> two\n", 3)
        assert shell.type("test -t 0 && test -t 1 && test -t 2 && tput cols") == ("80\n", 0)


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        ("\x1b[1mbold\x1b[0m  \n", "bold\n"),
        ("\x1b[?25l\r\x1b[2K 1/2\r\x1b[2K 2/2\n\x1b[?25h\r\x1b[1A\x1b[2Kdone\n", "done\n"),
        ("abc\rx\n", "xbc\n"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_what_is_on_the_screen(printed: str, seen: str) -> None:
    assert on_screen(printed) == seen
