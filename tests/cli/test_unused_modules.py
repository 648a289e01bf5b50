"""A command does not wait for parts of libraries that it does not use; a program that uses facemon keeps them."""

import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = "sys.argv[1:] = {}; from facemon.cli.main import main; main()"
LIBRARY = "import facemon; facemon.Monitor; import pyarrow.compute"
CHECK = ["drift-check", "--check", "data", "--reference", "rows.csv", "--current", "rows.csv"]
ASK = (
    "import atexit, gc, sys; atexit.register(lambda: print({}, file=sys.stderr)); "
    "collections = []; gc.callbacks.append(lambda phase, info: collections.append(phase)); "
)


def answer_to(question: str, program: str, folder: Path) -> str:
    """What a Python expression is at the end of a program."""
    (folder / "rows.csv").write_text("image,width\n" + "a.png,3\nb.png,4\n" * 200)
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(question) + program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert "unexpectedly" not in done.stderr
    return done.stderr.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize(("program", "searches"), [(COMMAND.format(["model", "show"]), False), (LIBRARY, True)])
def test_only_a_program_of_the_users_own_searches_for_plugins(program: str, searches: bool, tmp_path: Path) -> None:
    assert answer_to("'importlib.metadata' in sys.modules", program, tmp_path) == str(searches)


@pytest.mark.slow
@pytest.mark.parametrize(("program", "reads"), [(COMMAND.format(CHECK), False), (LIBRARY, True)])
def test_only_a_program_of_the_users_own_reads_pyarrows_documentation(
    program: str, reads: bool, tmp_path: Path
) -> None:
    question = "'pyarrow.compute' in sys.modules, hasattr(sys.modules['pyarrow.vendored.docscrape'], 'Reader')"
    assert answer_to(question, program, tmp_path) == f"True {reads}"


@pytest.mark.slow
def test_pyarrows_functions_are_the_same_without_their_documentation(tmp_path: Path) -> None:
    ask = (
        "import inspect, pyarrow.compute as pc; print({name: str(inspect.signature(f)) for name, f in vars(pc).items()"
    )
    listing = f"{ask} if hasattr(f, '__arrow_compute_function__')}})"
    bare = f"from facemon.unused_modules import leave_unused_modules_out as leave; leave(); {listing}"
    with_all, without = (
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        for program in (listing, bare)
    )
    assert len(with_all) > 1000
    assert without == with_all
