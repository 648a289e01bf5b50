"""Lists of paths on stdin: one a line, or as find -print0 writes them."""

import os
import threading
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.predict.image_source import ImageSource
from facemon.predict.manifest_cells import LONGEST_NAME
from facemon.predict.path_list import ListedPath, listed_paths
from tests.patience import HANG_S

NAMES = st.binary(min_size=1, max_size=30).filter(lambda name: b"\0" not in name)


def read(content: bytes, *, null: bool) -> list[ListedPath]:
    return list(listed_paths(BytesIO(content), None, None, null=null))


@given(st.lists(NAMES), st.booleans())
def test_every_name_that_a_file_can_have_comes_through_as_it_is(names: list[bytes], ends: bool) -> None:
    found = read(b"\0".join(names) + b"\0" * ends, null=True)
    assert [os.fsencode(each.path) for each in found] == names
    assert [each.number for each in found] == list(range(1, len(names) + 1))


@given(st.lists(NAMES.filter(lambda name: not set(name) & set(b"\r\n"))))
def test_lines_and_entries_say_the_same(names: list[bytes]) -> None:
    entries = [(each.path, each.fault) for each in read(b"\0".join(names), null=True)]
    assert [(each.path, each.fault) for each in read(b"\n".join(names), null=False)] == entries
    assert [(each.path, each.fault) for each in read(b"\r\n".join(names), null=False)] == entries


@pytest.mark.parametrize("end", [b"\0", b"\n"])
@pytest.mark.parametrize(
    "length", [LONGEST_NAME - 1, LONGEST_NAME, LONGEST_NAME + 1, LONGEST_NAME + 2, 70_000, 200_000]
)
def test_what_is_longer_than_any_path_is_one_fault_and_the_next_follows(end: bytes, length: int) -> None:
    found = read(end.join([b"a", b"x" * length, b"b"]) + end, null=end == b"\0")
    is_path = length <= LONGEST_NAME
    assert [each.path for each in found] == ["a", "x" * length if is_path else "", "b"]
    assert found[1].fault == (None if is_path else "is longer than any path")


@pytest.mark.parametrize("listed", [b"a.jpg\0b.jpg\0", b"a.jpg\0" * 5000])
def test_a_list_of_find_print0_that_is_read_as_lines_says_what_to_add(listed: bytes) -> None:
    (image,) = ImageSource(["-"], path_list=BytesIO(listed))
    assert image.problem is not None
    assert image.problem.message.startswith("line 1: holds the character NUL")
    assert "add -0 (--null)" in image.problem.message


def test_a_list_of_lines_that_is_read_as_entries_is_one_row_that_is_not_there(tmp_path: Path) -> None:
    (image,) = ImageSource(["-"], path_list=BytesIO(b"a.jpg\nb.jpg\n"), null=True)
    assert (image.name, image.path) == ("a.jpg\nb.jpg\n", Path("a.jpg\nb.jpg\n"))
    (long,) = ImageSource(["-"], path_list=BytesIO(b"a.jpg\n" * 1000), null=True)
    assert long.problem is not None
    assert long.problem.message == "entry 1: is longer than any path"


def test_an_entry_is_there_before_the_list_ends() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream:
        found = listed_paths(stream, None, None, null=True)
        os.write(writing, b"a.jpg\0b")
        assert next(found).path == "a.jpg"
        threading.Timer(0.01, os.close, [writing]).start()
        assert [each.path for each in found] == ["b"]


@pytest.mark.parametrize("null", [False, True])
def test_a_run_that_is_to_stop_does_not_wait_for_the_end_of_a_list(null: bool) -> None:
    reading, writing = os.pipe()
    stop, found = threading.Event(), list[str]()
    with os.fdopen(reading, "rb") as stream, os.fdopen(writing, "wb") as list_that_goes_on:
        images = iter(ImageSource(["-"], path_list=stream, null=null, stop=stop))
        list_that_goes_on.write(b"a.jpg\0b" if null else b"a.jpg\nb")
        list_that_goes_on.flush()
        assert next(images).name == "a.jpg"
        stop.set()
        rest = threading.Thread(target=lambda: found.extend(each.name for each in images), daemon=True)
        rest.start()
        rest.join(HANG_S)
        assert not rest.is_alive()
    assert found == []
