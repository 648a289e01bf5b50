"""A command does not wait for pydantic's search for plugins, and a program that uses the library keeps its own."""

import subprocess
import sys
from pathlib import Path

import pytest

LOOK = "; import atexit, sys; atexit.register(lambda: print('importlib.metadata' in sys.modules, file=sys.stderr)); "
COMMAND = "sys.argv[1:] = ['model', 'show']; from facemon.cli.main import main; main()"
LIBRARY = "import facemon; facemon.Monitor"


@pytest.mark.parametrize(("code", "searches"), [(COMMAND, False), (LIBRARY, True)])
def test_only_a_program_of_the_users_own_searches_for_plugins(code: str, searches: bool, tmp_path: Path) -> None:
    program = [sys.executable, "-c", f"pass{LOOK}{code}"]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == str(searches)
