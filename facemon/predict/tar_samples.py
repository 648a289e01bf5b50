"""The images of a tar, with what the JSON files beside them say, as WebDataset lays them out.

Members whose paths are the same up to the first dot of the file's name are one sample, if they follow each other.
Source: webdataset, `base_plus_ext` and `group_by_keys`.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from facemon.domain.image_input import FilePart, FileVersion, ImageProblem, shown_name, too_large
from facemon.domain.prediction import ErrorCode
from facemon.local_path import url_scheme
from facemon.predict.folder_walk import is_left_out, suffix_of
from facemon.predict.inputs.input_kind import Found, Given
from facemon.predict.manifest import line_encoding
from facemon.predict.manifest_cells import ManifestRow, columns_of, name_of, row_of
from facemon.predict.manifest_lines import AS_BYTES, LONGEST_LINE, decoded, json_cells
from facemon.predict.tar_walk import Member, TarWalk

_MOST_HELD = 64
"""Images of a sample that wait for its JSON file: more are names such as frame.000001.jpg, which have one key."""
_MOST_HELD_BYTES = 64 << 20
_JSON, _CLASS = ".json", ".cls"


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """The file of an archive, from which images are read later."""

    path: Path
    version: FileVersion
    is_listed: bool
    """Whether an input named it, so that it must lie below `--root`."""


@dataclass(frozen=True, slots=True)
class _Sidecar:
    """What a JSON file says of the images of its sample."""

    name: str
    """As it is logged."""
    is_meant: bool = False
    """Whether it has a column of manifests."""
    row: ManifestRow | None = None
    fault: str | None = None


@dataclass(slots=True)
class _Sample:
    """The members of one key so far."""

    key: tuple[str, ...]
    sidecar: _Sidecar | None = None
    images: list[Found] = field(default_factory=list)
    """Those that wait for what a JSON file may say."""
    count: int = 0
    """All images, those that wait no longer too."""
    bytes: int = 0

    @property
    def is_full(self) -> bool:
        return len(self.images) >= _MOST_HELD or self.bytes >= _MOST_HELD_BYTES

    def add(self, image: Found) -> None:
        self.images.append(image)
        self.count += 1
        self.bytes += len(image.content or b"")


class TarSamples:
    """The images of a tar in its order; members that are neither images nor used are counted."""

    def __init__(self, walk: TarWalk, name: str, given: Given, file: ArchiveFile | None) -> None:
        """`name` is the archive's. Without `file` images are read here."""
        self._walk = walk
        self._archive_name = name
        self._given = given
        self._file = file
        self._columns = columns_of(given.tables)
        self._encoding = line_encoding(given.tables)

    def __iter__(self) -> Iterator[Found]:
        """Yield each image once all members of its sample are known to be whole; FacemonError where the tar is damaged.

        So what was yielded before an error is a beginning of what a whole copy of the archive gives.
        """
        sample = _Sample(())
        for number, member in enumerate(self._walk, 1):
            parts = [part for part in member.name.split("/") if part not in ("", ".")] or [""]
            if any(part != ".." and is_left_out(part) for part in parts):
                continue
            key = (*parts[:-1], parts[-1].partition(".")[0])
            if key != sample.key:
                yield from self._ended(sample)
                sample = _Sample(key)
            suffix = suffix_of(parts[-1])
            if suffix in self._given.walk.suffixes:
                if sample.is_full:
                    yield from self._released(sample)
                sample.add(self._image(member, parts, number))
            elif suffix == _JSON:
                yield from self._json(sample, member, parts, number)
            else:
                self._skip(suffix)
        yield from self._ended(sample)

    def _image(self, member: Member, parts: Sequence[str], number: int) -> Found:
        time, name = member.modified_at, self._name(parts, number)
        if (fault := _name_fault(parts)) is not None:
            return Found(name, _unreadable(f"member {number}: {fault}"), modified_at=time)
        if member.fault is not None:
            return Found(name, _unreadable(member.fault), modified_at=time)
        if (file := self._file) is not None:
            part = FilePart(member.start, member.size, file.version)
            return Found(name, file=file.path, is_listed=file.is_listed, part=part, modified_at=time)
        if member.size > self._given.max_bytes:
            return Found(name, too_large(member.size, self._given.max_bytes), modified_at=time)
        return Found(name, content=self._walk.content(member), modified_at=time)

    def _name(self, parts: Sequence[str], number: int) -> str:
        """Return the logged name of a member, below the archive's; its number where no file can have its name."""
        archive, below = self._archive_name, "/".join(parts)
        if _name_fault(parts):
            return f"{archive}:{number}"
        return f"{archive}/{quote(os.fsencode(below)) if url_scheme(archive) == 'file' else below}"

    def _json(self, sample: _Sample, member: Member, parts: Sequence[str], number: int) -> Iterator[Found]:
        """Let a JSON file say something of its sample; one that cannot is an error in its place, or counted."""
        sidecar = self._sidecar(member, self._name(parts, number))
        if parts[-1].count(".") > 1:
            yield from self._alone(sidecar, f"is not called {sample.key[-1]}{_JSON}, so it belongs to no image")
        elif not sidecar.is_meant and sidecar.fault is None:
            self._skip(_JSON)
        elif sample.count > len(sample.images) and sample.sidecar is None:
            yield from self._alone(sidecar, f"comes after {sample.count} images of its name, too late for the first")
        elif sample.sidecar is not None:
            sample.sidecar = replace(sidecar, row=None, fault="is there twice")
        else:
            sample.sidecar = sidecar

    def _sidecar(self, member: Member, name: str) -> _Sidecar:
        if member.fault is not None:
            return _Sidecar(name, fault=member.fault)
        if member.size > LONGEST_LINE:
            return _Sidecar(name, fault=f"is longer than {LONGEST_LINE:,} bytes")
        text = self._walk.content(member).decode("utf-8-sig", AS_BYTES)
        cells = json_cells(text if self._encoding is None else decoded(text, self._encoding))
        if isinstance(cells, str):
            return _Sidecar(name, fault=cells)
        if self._columns.isdisjoint(cells):
            return _Sidecar(name)
        try:
            return _Sidecar(name, is_meant=True, row=row_of(name, cells, self._given.tables))
        except ValueError as error:
            return _Sidecar(name, is_meant=True, fault=str(error))

    def _alone(self, sidecar: _Sidecar, reason: str) -> Iterator[Found]:
        """Yield an error for a file that was to say something of an image and cannot; others are counted."""
        if sidecar.is_meant:
            yield Found(sidecar.name, _unreadable(reason))
        else:
            self._skip(_JSON)

    def _ended(self, sample: _Sample) -> Iterator[Found]:
        if sample.sidecar is not None and not sample.count:
            yield from self._alone(
                sample.sidecar, "is beside no image of its name: the members of a sample must follow each other"
            )
        yield from self._released(sample)

    def _released(self, sample: _Sample) -> Iterator[Found]:
        """Yield the images that wait, with the row of their JSON file."""
        sidecar = sample.sidecar
        if sidecar is None:
            yield from sample.images
        else:
            fault = sidecar.fault
            if sidecar.row is not None and sidecar.row.box is not None and sample.count > 1:
                fault = f"gives a {self._given.tables.box}, and there is more than one image of its name"
            base = shown_name(sidecar.name.rpartition("/")[2])
            problem = None if fault is None else _unreadable(f"{base}: {fault}")
            for image in sample.images:
                yield replace(image, row=sidecar.row, problem=image.problem or problem)
        sample.images.clear()
        sample.bytes = 0

    def _skip(self, suffix: str) -> None:
        skipped, tables = self._given.walk.skipped, self._given.tables
        skipped.add(suffix)
        if suffix == _CLASS:
            skipped.note("labels in .cls are not read: facemon evaluate reads true labels from a table")
        elif suffix == _JSON:
            names = f"{tables.observed_at}, {tables.source}, {tables.id} and {tables.box}"
            skipped.note(f"a .json beside an image may hold {names}, and these hold none of them")


def _unreadable(message: str) -> ImageProblem:
    return ImageProblem(ErrorCode.UNREADABLE, message)


def _name_fault(parts: Sequence[str]) -> str | None:
    """What keeps a name from being one of a file below a folder; none where nothing does."""
    try:
        name = name_of("/".join(parts), "its name")
    except ValueError as error:
        return str(error)
    if ".." in parts:
        return "its name leads out of the archive by .."
    return "its name holds the character NUL, which no path can" if "\0" in name else None
