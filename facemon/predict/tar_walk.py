"""The members of a tar archive, one after the other, in memory that does not grow with the archive or its headers.

Python's tarfile decodes single headers here, and does not walk: it takes a broken header for the end of the archive,
keeps every member in memory, and reads extended headers of any size.
"""

import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from facemon.domain.image_input import shown_name
from facemon.errors import FacemonError

_BLOCK = tarfile.BLOCKSIZE
_PIECE_BYTES = 1 << 18
_MOST_HEADER_BYTES = 1 << 20
"""Of one extended header: names have at most 4,096 bytes, and extended attributes of Linux 64 KiB."""
_MOST_DIGITS = 18
_TOO_LARGE = 10**_MOST_DIGITS
"""Bytes of a member that no file system holds, and beyond which no file can be moved."""
_NAMES, _LINKED_NAMES = tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK
_RECORDS = frozenset((tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE))
_WITHOUT_DATA = frozenset(
    (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE)
)
_FILES = frozenset((tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE))
_NO_FILES = frozenset((tarfile.DIRTYPE, b"D", b"V"))
"""Directories, directories with their list of names (GNU's incremental backups), and the label of the archive."""
_SPARSE = "is stored as a sparse file, which is not read: write the archive without --sparse"
_ODD = {
    tarfile.LNKTYPE: "is a hard link, which is not followed: write the archive with tar --hard-dereference",
    tarfile.SYMTYPE: "is a symbolic link, which is not followed: write the archive with tar --dereference",
    tarfile.CHRTYPE: "is a device, not a file",
    tarfile.BLKTYPE: "is a device, not a file",
    tarfile.FIFOTYPE: "is a named pipe, not a file",
    tarfile.GNUTYPE_SPARSE: _SPARSE,
}
_KEPT = ("path", "size", "mtime", "GNU.sparse.name")
"""The records of pax that are used."""
_SPARSE_RECORD = "GNU.sparse."
_WHOLE_COPY = "replace it with a whole copy of the archive"
_NOT_A_TAR = "check that the file is whole and fits its suffix"


@dataclass(frozen=True, slots=True)
class Member:
    """What an archive says of one of its members, which is not a directory."""

    name: str
    """As it is written, with bytes that are not UTF-8 as surrogateescape keeps them."""
    start: int
    """Where its bytes begin in the tar."""
    size: int
    modified_at: datetime | None
    """None where it is not a time that Python knows."""
    fault: str | None = None
    """Why it has no bytes that can be read, in words that follow its name; none for a regular file."""
    end: int = 0
    """Where the next header begins."""


class TarWalk:
    """Reads the members of a tar from a stream that is only ever moved forward, but for the content of a member."""

    def __init__(self, stream: BinaryIO, shown: str) -> None:
        """`shown` is the archive's name for errors."""
        self._stream = stream
        self._shown = shown
        self._shared: dict[str, str] = {}
        """The records that global headers of pax give to all members after them."""
        self._position = 0
        """Up to where the stream was read."""
        self._sparse_map_goes_on = False
        """Whether more blocks follow the last header, if it is that of a sparse file in GNU's old format."""

    def __iter__(self) -> Iterator[Member]:
        """Yield the members in their order; FacemonError with the place where the archive is damaged or cut off.

        A member comes before it is known that all its bytes are there.
        """
        place = 0
        while (member := self._member(place)) is not None:
            yield member
            place = member.end
            self._require(place, member.name)

    def require_tar(self) -> None:
        """FacemonError where the beginning is not that of a tar archive."""
        self._header(0)

    def content(self, member: Member) -> bytes:
        """Return the bytes of a regular file; of a compressed archive only those of the member that came last."""
        content = self._read(member.start, member.size)
        if len(content) < member.size:
            raise self._cut(member.start + len(content), member.name)
        return content

    def _member(self, place: int) -> Member | None:
        """The member whose headers begin at `place`; none at the end of the archive."""
        own: dict[str, str] = {}
        begin, is_extended = place, False
        while (header := self._header(place)) is not None:
            place += _BLOCK
            if header.type in _RECORDS or header.type in (_NAMES, _LINKED_NAMES):
                is_shared = header.type == tarfile.XGLTYPE
                (self._shared if is_shared else own).update(self._extended(header, place))
                place += _padded(header.size)
                is_extended |= not is_shared
                continue
            if header.type == tarfile.GNUTYPE_SPARSE:
                place = self._after_sparse_map(place)
            records = {**self._shared, **own}
            size = self._size(header, records, begin) if header.type not in _WITHOUT_DATA else 0
            end = place + _padded(size)
            if header.type not in _NO_FILES:
                return _described(header, records, place, size, end)
            self._require(end, header.name)
            own, begin, is_extended, place = {}, end, False, end
        if is_extended:
            raise self._damage(place, "no member follows an extended header")
        self._require_end(place + _BLOCK)
        return None

    def _header(self, place: int) -> tarfile.TarInfo | None:
        """The header at a place; none for the zeros that end an archive."""
        block = self._read(place, _BLOCK)
        if len(block) < _BLOCK:
            if place == 0:
                raise FacemonError(f"{self._shown}: {'is not a tar archive' if block else 'is empty'}", _NOT_A_TAR)
            raise self._damage(place, "it ends within a header" if block else "its end mark is missing")
        if not any(block):
            return None
        self._sparse_map_goes_on = bool(block[482])
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            if place == 0:
                raise FacemonError(f"{self._shown}: is not a tar archive", _NOT_A_TAR) from error
            raise self._damage(place, f"a header cannot be read ({error})") from error
        if not 0 <= header.size < _TOO_LARGE:
            raise self._damage(place, f"a header has a size of {header.size:,} bytes")
        return header

    def _extended(self, header: tarfile.TarInfo, place: int) -> dict[str, str]:
        """What an extended header says of the member after it."""
        if header.size > _MOST_HEADER_BYTES:
            raise self._damage(place, f"an extended header has {header.size:,} bytes")
        content = self._read(place, header.size)
        if len(content) < header.size:
            raise self._damage(place + len(content), "it ends within an extended header")
        if header.type == _LINKED_NAMES:
            return {}
        if header.type == _NAMES:
            return {"path": content.partition(b"\0")[0].decode("utf-8", "surrogateescape")}
        try:
            return dict(_records(content))
        except ValueError as error:
            raise self._damage(place, "an extended header cannot be read") from error

    def _after_sparse_map(self, place: int) -> int:
        """Where the data of a sparse file in GNU's old format begin, after the blocks that go on with its map."""
        goes_on = self._sparse_map_goes_on
        while goes_on:
            block = self._read(place, _BLOCK)
            if len(block) < _BLOCK:
                raise self._damage(place, "it ends within a header")
            place, goes_on = place + _BLOCK, bool(block[504])
        return place

    def _size(self, header: tarfile.TarInfo, records: dict[str, str], place: int) -> int:
        if not (written := records.get("size")):
            return header.size
        if not (written.isascii() and written.isdecimal() and len(written) <= _MOST_DIGITS):
            raise self._damage(place, "an extended header has a size that is not a number of bytes")
        return int(written)

    def _require_end(self, place: int) -> None:
        """FacemonError where an archive goes on after its end, as joined tars do: members would be lost."""
        while piece := self._read(place, _PIECE_BYTES):
            if piece.strip(b"\0"):
                raise FacemonError(
                    f"{self._shown}: more follows the end of the archive, after byte {place:,}, and was not read",
                    "archives that were joined with cat are predicted one by one; join them with tar --concatenate",
                )
            place += len(piece)

    def _require(self, place: int, name: str) -> None:
        """FacemonError where the archive ends before a place, which is the end of the member of that name."""
        # What was read is there; and a compressed stream that is moved back begins again.
        if self._position < place and not self._read(place - 1, 1):
            raise self._cut(place, name)

    def _read(self, place: int, count: int) -> bytes:
        try:
            self._stream.seek(place)
            content = self._stream.read(count)
        except EOFError as error:
            raise self._damage(place, "its compressed data end too early") from error
        except (OSError, zlib.error) as error:
            reason = (getattr(error, "strerror", None) or "").lower() or f"its compressed data are damaged ({error})"
            raise self._damage(place, reason) from error
        self._position = place + len(content)
        return content

    def _cut(self, place: int, name: str) -> FacemonError:
        return self._damage(place, f"it ends within the member {shown_name(name)}")

    def _damage(self, place: int, reason: str) -> FacemonError:
        return FacemonError(f"{self._shown}: the archive is damaged at byte {place:,}: {reason}", _WHOLE_COPY)


def _described(header: tarfile.TarInfo, records: dict[str, str], start: int, size: int, end: int) -> Member:
    is_sparse = any(name.startswith(_SPARSE_RECORD) for name in records)
    fault = _ODD.get(header.type) or (_SPARSE if is_sparse else None)
    if fault is None and header.type not in _FILES:
        fault = f"has the type {header.type!r}, which is not read"
    name = records.get("GNU.sparse.name") or records.get("path") or header.name
    return Member(name, start, size, _time(records.get("mtime") or header.mtime), fault, end)


def _records(content: bytes) -> Iterator[tuple[str, str]]:
    """The records of a pax header that are used; ValueError where one is not `LENGTH KEYWORD=VALUE` and a line end.

    Source: POSIX.1-2024, pax, "pax Extended Header".
    """
    place = 0
    while place < len(content) and content[place]:
        digits = content[place : place + _MOST_DIGITS + 1].partition(b" ")[0]
        end = place + int(digits) if digits.isdigit() else 0
        keyword, equals, value = content[place + len(digits) + 1 : end].partition(b"=")
        if not (place < end <= len(content) and equals and value.endswith(b"\n")):
            raise ValueError("not a record")
        name = keyword.decode("utf-8", "surrogateescape")
        if name in _KEPT:
            yield name, value[:-1].decode("utf-8", "surrogateescape")
        elif name.startswith(_SPARSE_RECORD):
            yield _SPARSE_RECORD, ""
        place = end


def _time(seconds: float | str) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
