"""`facemon manifest`: inputs frozen into a manifest, so that many machines predict the same images."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from facemon.application.operation import Operation
from facemon.application.predict_paths import refuse_null, refuse_paths
from facemon.application.reachable_storage import refuse_unreachable
from facemon.errors import FacemonError, UsageError

if TYPE_CHECKING:
    from facemon.object_storage.object_store import ObjectStores
    from facemon.predict.image_source import ImageSource, ObservedFrom
    from facemon.predict.manifest_writer import ManifestColumns

_SHORT = 12
"""Digits of a digest that people compare."""


@dataclass(frozen=True, slots=True)
class ManifestRequest:
    """Which inputs are frozen, and what their rows say besides."""

    paths: tuple[str, ...]
    output: Path
    source: str | None = None
    observed_at: "datetime | ObservedFrom | None" = None
    path_list: BinaryIO | None = None
    """What the path - reads its list from."""
    null: bool = False


@dataclass(frozen=True, slots=True)
class FrozenManifest:
    """A manifest that was written."""

    path: Path
    rows: int
    """Images and archives."""
    archives: int
    absent: int
    """Those that a list names and that cannot be looked at."""
    sha256: str
    """Of the file: the identity of the runs that predict it."""


def freeze_inputs(operation: Operation, request: ManifestRequest) -> FrozenManifest:
    """Write the images that the inputs name, and what storage says of them, into a manifest.

    UsageError for inputs that cannot be frozen; FacemonError, and no file, where there is no image or where an
    input cannot be listed whole.
    """
    from facemon.object_storage.object_store import ObjectStores
    from facemon.predict.image_source import ImageSource
    from facemon.predict.manifest_writer import ManifestColumns, holds_manifest, refuse_manifest_path
    from facemon.store.replaced_files import refuse_other_file

    config, stores = operation.config, ObjectStores()
    refuse_manifest_path(request.output)
    refuse_other_file(request.output, partial(holds_manifest, names=config.tables), "manifest")
    _refuse_exif(request.observed_at)
    refuse_null(request.paths, null=request.null)
    _refuse_manifests(request.paths)
    refuse_paths(request.paths, "correct the path")
    refuse_unreachable(request.paths, config.tables, has_begun=False)
    images = ImageSource(
        request.paths,
        path_list=request.path_list,
        null=request.null,
        tables=config.tables,
        formats=config.predict.formats,
        stores=stores,
        max_bytes=config.predict.max_bytes,
        opens=lambda _: False,
    )
    columns = ManifestColumns(config.tables, request.source, request.observed_at)
    done = _written(operation, request.output, images, stores, columns)
    _tell(operation, images, done)
    return done


def _refuse_exif(observed_at: "datetime | ObservedFrom | None") -> None:
    """UsageError for times that only the images themselves say: a manifest is made without reading them."""
    from facemon.predict.image_source import ObservedFrom

    if observed_at is ObservedFrom.EXIF:
        raise UsageError(
            "--observed-at exif: a manifest is made without reading the images", "give --observed-at exif to predict"
        )


def _refuse_manifests(paths: Sequence[str]) -> None:
    """UsageError for files that name images themselves."""
    from facemon.domain.image_input import shown_name
    from facemon.predict.manifest import is_manifest

    for path in paths:
        if is_manifest(path):
            raise UsageError(
                f"{shown_name(path)}: is a manifest already", "give it to predict, and name its images or folders here"
            )


def _written(
    operation: Operation, output: Path, images: "ImageSource", stores: "ObjectStores", columns: "ManifestColumns"
) -> FrozenManifest:
    import hashlib

    from facemon.predict.frozen_rows import frozen_rows
    from facemon.predict.manifest_writer import ManifestWriter
    from facemon.predict.output import open_written

    count = archives = absent = 0
    with (
        operation.reporter.progress("listing", "images") as progress,
        open_written(output, lambda stream: ManifestWriter(stream, columns)) as manifest,
    ):
        for row in frozen_rows(images.found(), stores):
            manifest.add(row)
            count += 1
            archives += row.is_archive
            absent += row.size is None
            progress.advance(1)
        _refuse_nothing(images, count)
    with output.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FrozenManifest(output, count, archives, absent, digest)


def _refuse_nothing(images: "ImageSource", count: int) -> None:
    if images.empty_directories:
        hint = str(images.skipped) or "name folders and prefixes with images in them"
        raise FacemonError(f"no image is in {', '.join(images.empty_directories)}; no manifest was written", hint)
    if not count:
        raise FacemonError("the list on stdin is empty; the manifest was not written", "write one path on each line")


def _tell(operation: Operation, images: "ImageSource", done: FrozenManifest) -> None:
    from facemon.domain.counted import counted

    for remark in images.skipped.remarks:
        operation.reporter.say(remark)
    if done.absent:
        have = "is" if done.absent == 1 else "are"
        operation.reporter.warn(
            f"{counted(done.absent, 'image')} of the list {have} not there or cannot be looked at: predict gives each "
            "a row with an error"
        )
    kinds = {"image": done.rows - done.archives, "archive": done.archives}
    held = " and ".join(counted(count, kind) for kind, count in kinds.items() if count)
    operation.reporter.say(f"wrote {done.path}: {held}, sha256 {done.sha256[:_SHORT]}")
