"""Nothing outside a folder is opened below it, whatever links there are, and while they are being exchanged."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemon.confined_file import OutsideError, open_beneath

SECRET = b"secret"


def content(root: Path, path: Path | str) -> bytes:
    descriptor = open_beneath(root, Path(path))
    try:
        return os.read(descriptor, 100)
    finally:
        os.close(descriptor)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files and links, beside a file that must not be read."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "secret").write_bytes(SECRET)
    root = folder / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / "f").write_bytes(b"f")
    (root / "a" / "b" / "g").write_bytes(b"g")
    (folder / "other").symlink_to(root)
    for name, target in (
        ("inside", "a/b/g"), ("a/up", "../f"), ("a/b/over", "../../../root/f"), ("absolute", str(root / "f")),
        ("other-way", str(folder / "other" / "f")), ("out", "../secret"), ("a/out", str(folder / "secret")),
        ("folder", "a/b"), ("outside", ".."), ("loop", "loop"), ("chain", "folder/../../inside"), ("nowhere", "none"),
        ("self", "."), ("root-link", str(root)), ("proc", "/proc/self/root"),
    ):  # fmt: skip
        (root / name).symlink_to(target)
    os.mkfifo(root / "pipe")
    return root


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("f", b"f"), ("./f", b"f"), ("a/../f", b"f"), ("a/b/g", b"g"), ("inside", b"g"), ("a/up", b"f"),
        ("folder/g", b"g"), ("folder/../b/g", b"g"), ("absolute", b"f"), ("other-way", b"f"), ("chain", b"g"),
        ("self/self/f", b"f"),
        ("root-link/root-link/a/b/g", b"g"),
    ],
)  # fmt: skip
def test_links_that_stay_inside_are_followed(root: Path, path: str, found: bytes) -> None:
    assert content(root, path) == found
    assert content(root, root / path) == found


@pytest.mark.parametrize(
    "path",
    [
        "..", "../secret", "a/../../secret", "../root/f", "out", "a/out", "a/b/over", "outside/secret",
        "outside/root/f",        "/etc/passwd", "/none", "../none", "proc/etc/passwd", "/proc/self/root/etc/passwd",
    ],
)  # fmt: skip
def test_what_leads_out_is_not_opened_be_it_there_or_not(root: Path, path: str) -> None:
    with pytest.raises(OutsideError):
        content(root, path)


def test_the_root_may_have_other_names(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = root.parent / "other"
    monkeypatch.chdir(root.parent)
    for name in (other, Path("other"), Path("root"), Path("root/../other")):
        assert content(name, "inside") == b"g"
        assert content(name, root / "f") == content(root, other / "f") == b"f"


def test_errors_are_those_of_the_system(root: Path) -> None:
    for path, error in (
        ("none", FileNotFoundError), ("none/x", FileNotFoundError), ("nowhere", FileNotFoundError),
        ("f/x", NotADirectoryError), (".", IsADirectoryError), ("a/..", IsADirectoryError),
    ):  # fmt: skip
        with pytest.raises(error):
            content(root, path)
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        content(root, "loop")
    with pytest.raises(OSError, match="File name too long"):
        content(root, "x" * 300)
    with pytest.raises(ValueError, match="null"):
        content(root, "a\0b")
    os.close(open_beneath(root, Path("pipe")))  # which does not wait


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(["a", "b", "..", "..", ".", "f", "g", "out", "outside", "self", "folder", "inside", "root",
                         "secret", "up", "over", "absolute", "chain", ""]),
        max_size=8,
    ).map("/".join)
)  # fmt: skip
def test_any_path_opens_what_it_names_inside_or_nothing(root: Path, path: str) -> None:
    path = path.lstrip("/")
    before = len(list(Path("/proc/self/fd").iterdir()))
    try:
        found = content(root, path)
    except OSError:
        found = None
    assert found != SECRET
    if found is not None:
        assert (root / path).samefile(root / ("f" if found == b"f" else "a/b/g"))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


EXCHANGE = """
import os, sys, itertools
root = sys.argv[1]
os.chdir(root)
print("ready", flush=True)
for number in itertools.count():
    # A file and a folder become links that lead out, and back, by one rename each.
    for name, inside, outside in (("x", "file", "../secret"), ("d", "folder", "..")):
        for target in (inside, outside):
            os.symlink(target, f".{name}")
            os.rename(f".{name}", name)
    # A folder itself is exchanged for a link.
    os.rename("real", "away"); os.symlink("..", "real"); os.unlink("real"); os.rename("away", "real")
"""


@pytest.fixture
def exchanged(tmp_path: Path) -> Iterator[Path]:
    """A folder in which another process exchanges links as fast as it can."""
    root = tmp_path / "root"
    for folder in ("folder", "real"):
        (root / folder).mkdir(parents=True)
        (root / folder / "secret").write_bytes(b"inside")
    (root / "file").write_bytes(b"inside")
    (tmp_path / "secret").write_bytes(SECRET)
    with subprocess.Popen([sys.executable, "-c", EXCHANGE, root], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield root
        process.kill()


def test_links_that_are_exchanged_between_check_and_open(exchanged: Path) -> None:
    seen: dict[object, int] = {}
    for number in range(6000):
        path = ("x", "d/secret", "real/secret")[number % 3]
        try:
            found: object = content(exchanged, path)
        except OSError as error:
            found = type(error)
        seen[found] = seen.get(found, 0) + 1
    assert SECRET not in seen
    # It was a race: sometimes the way led in, sometimes out.
    assert seen[b"inside"]
    assert seen[OutsideError]
