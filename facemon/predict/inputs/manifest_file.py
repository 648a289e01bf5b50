"""A manifest: a table with one image in each row."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from facemon.config.drift import TablesConfig
from facemon.domain.image_input import shown_name
from facemon.object_storage.location import Location, LocationError, is_location, parse_location
from facemon.predict.inputs.input_kind import Found, Given, InputKind
from facemon.predict.inputs.listed_image import listed_image
from facemon.predict.manifest import Manifest, is_manifest


class ManifestFile(InputKind):
    """A table of images."""

    names_images = True
    is_opened_first = True

    def takes(self, path: str) -> bool:
        """Whether it has a table's suffix and is not a folder."""
        return is_manifest(path)

    def open(self, path: str, given: Given) -> "_Rows":
        """Return its images; FacemonError where it cannot be read or names no images."""
        manifest = Manifest(path, given.tables)
        if manifest.unused_note is not None:
            given.notes.append(f"{shown_name(path)}: {manifest.unused_note}")
        return _Rows(manifest, path, given)

    def locations(self, path: str, tables: TablesConfig) -> Iterable[Location]:
        """Return the object that its first row names, which stands for the others."""
        first = next(iter(Manifest(path, tables)), None)
        if first is None or first.problem is not None or not is_location(first.name):
            return ()
        try:
            return (parse_location(first.name),)
        except LocationError:
            return ()  # the row says so

    def without_boxes(self, path: str, shown: str, tables: TablesConfig) -> str | None:
        """Return why no row has a box, or None."""
        may_have_boxes = Manifest(path, tables).may_have_boxes
        return None if may_have_boxes else f"the manifest {shown} has no column with boxes of faces"


@dataclass(frozen=True, slots=True)
class _Rows:
    manifest: Manifest
    path: str
    given: Given

    def __iter__(self) -> Iterator[Found]:
        images = self._images()
        # A shard may be empty.
        return images if self.given.span is not None else self.given.entered_if_empty(self.path, images)

    def _images(self) -> Iterator[Found]:
        folder = self.given.root or Path(self.path).parent
        for row in self.manifest.rows(self.given.span):
            if row.problem is not None:
                yield Found(row.name, problem=row.problem, row=row)
            else:
                yield replace(listed_image(row.name, self.given, row.expected), row=row, folder=folder)
