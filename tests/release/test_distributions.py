"""The wheel and the source distribution of this tree: their bytes, their files and their metadata."""

import os
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from distributions import Distributions, build, content_faults, copy_source, source_files
from make_release import build_reproducibly, different, write_checksums
from release_notes import ReleaseError

from facemon.version import __version__

ROOT = Path(__file__).parents[2]
EPOCH = 1_700_000_000
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (ROOT / ".git").exists(), reason="not a git tree, whose files are those of the distributions"
    ),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    folder = tmp_path_factory.mktemp("built")
    return build(copy_source(ROOT, folder / "source"), folder, EPOCH)


def metadata(built: Distributions) -> Message:
    with zipfile.ZipFile(built.wheel) as wheel:
        return Parser().parsestr(wheel.read(f"facemon-{__version__}.dist-info/METADATA").decode())


def test_they_hold_what_git_knows_and_nothing_else(built: Distributions) -> None:
    assert list(content_faults(built, source_files(ROOT))) == []


def test_the_wheel_has_what_a_command_needs_besides_modules(built: Distributions) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = set(wheel.namelist())
    for name in ("py.typed", "config/bundles/age-gender.yaml", "server/pages/predict.html", "server/pages/predict.js"):
        assert f"facemon/{name}" in names
    assert not [name for name in names if "test" in name.split("/")[1] or name.endswith((".pyc", ".orig"))]


def test_a_file_too_many_and_one_that_lacks_are_named(built: Distributions) -> None:
    files = [name for name in source_files(ROOT) if name != "facemon/py.typed"] + ["facemon/new.py"]
    name = f"facemon-{__version__}"
    assert list(content_faults(built, files)) == [
        "the wheel has facemon/py.typed, which is not to be in it",
        "the wheel lacks facemon/new.py",
        f"the source distribution has {name}/facemon/py.typed, which is not to be in it",
        f"the source distribution lacks {name}/facemon/new.py",
    ]


def test_the_metadata_are_those_of_the_project(built: Distributions) -> None:
    found = metadata(built)
    assert (found["Name"], found["Version"], found["Requires-Python"]) == ("facemon", __version__, ">=3.11")
    assert found["License-Expression"] == "Apache-2.0"
    assert found["Description-Content-Type"] == "text/markdown"
    pythons = [line.rpartition(" ")[2] for line in found.get_all("Classifier", []) if "Python :: 3." in line]
    assert pythons == ["3.11", "3.12", "3.13"]
    assert {"age-gender", "serve", "yunet"} <= set(found.get_all("Provides-Extra", []))


def test_the_same_source_gives_the_same_bytes(built: Distributions, tmp_path: Path) -> None:
    """Whatever the folder, the times and permissions of its files, the umask, the time zone and the order of hashes."""
    source = copy_source(ROOT, tmp_path / "a longer name than before")
    for number, name in enumerate(source_files(ROOT)):
        os.utime(source / name, (number, number))
        (source / name).chmod((source / name).stat().st_mode & 0o700)
    code = (
        f"import distributions, pathlib; distributions.build(pathlib.Path({str(source)!r}), pathlib.Path('.'), {EPOCH})"
    )
    odd = {**os.environ, "TZ": "Pacific/Auckland", "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT / "tools")}
    (tmp_path / "out").mkdir()
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path / "out", env=odd, umask=0o077, check=True)
    again = Distributions(*(tmp_path / "out" / path.name for path in built))
    assert list(different(built, again, "this one")) == []


@pytest.mark.only_at_length
def test_a_release_builds_the_same_thing_three_times(tmp_path: Path) -> None:
    """The third time from the source distribution."""
    assert all(path.is_file() for path in build_reproducibly(ROOT, tmp_path))


def test_a_difference_is_named(built: Distributions, tmp_path: Path) -> None:
    other = Distributions(*(tmp_path / path.name for path in built))
    other.wheel.write_bytes(built.wheel.read_bytes())
    other.sdist.write_bytes(built.sdist.read_bytes()[:-1])
    assert list(different(built, other, "this one")) == [f"{built.sdist.name} has other bytes in this one"]


def test_what_hatchling_refuses_is_an_error(tmp_path: Path) -> None:
    source = copy_source(ROOT, tmp_path / "source")
    (source / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(ReleaseError, match="hatchling cannot build facemon"):
        build(source, tmp_path, EPOCH)


def test_sha256sum_reads_the_checksums(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"a")
    (tmp_path / "a b.tar.gz").write_bytes(b"b")
    write_checksums(tmp_path)
    write_checksums(tmp_path)
    answer = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout) == (0, "a b.tar.gz: OK\na.whl: OK\n")
