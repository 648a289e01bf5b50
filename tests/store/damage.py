"""What can happen to a segment's file, each kind by name: for tests of every command beside it."""

import shutil
from collections.abc import Callable
from pathlib import Path

from facemon.store.ledger.protocol import Ledger
from tests.store.sql import sql


def flip_bytes(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for place in (300, len(content) // 2):
        content[place] ^= 255
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def put_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def put_anothers(path: Path) -> None:
    """Another segment's file, which can be read without an error."""
    others = [each for each in path.parents[1].rglob("*.parquet") if each != path]
    shutil.copyfile(max(others), path)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "flipped": flip_bytes,
    "truncated": truncate,
    "empty": empty,
    "deleted": Path.unlink,
    "a folder": put_a_folder,
    "another's": put_anothers,
}


def files_of(ledger: Ledger) -> list[Path]:
    """The files of a store's segments, oldest rows first."""
    query = "SELECT path FROM segments WHERE path IS NOT NULL ORDER BY first_observed, id"
    return [ledger.folder / path for (path,) in sql(ledger).execute(query)]
