"""The images that a run of predict is asked for: named, counted, and compared with those of an earlier run."""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from facemon.application.operation import Operation, Progress
from facemon.errors import FacemonError

if TYPE_CHECKING:
    from facemon.domain.image_input import ImageInput
    from facemon.predict.image_source import ImageSource, ObservedFrom
    from facemon.predict.inputs.input_kind import Archive
    from facemon.store.runs import Run


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """Which images are predicted, and how."""

    paths: tuple[str, ...]
    source: str | None = None
    observed_at: "datetime | ObservedFrom | None" = None
    observed_text: str = ""
    """How the time of observation was given; a run is continued only with the same."""
    resume: bool = False
    threads: int | None = None
    root: Path | None = None
    path_list: BinaryIO | None = None
    """What the path - reads its list from."""
    null: bool = False
    """Whether the names of the list end with NUL."""
    span: tuple[int, int] | None = None
    """Which rows of a manifest are predicted; None for all."""
    engine: str | None = None
    """The name of the engine that spreads the work; None for the usual one."""


def images_of(
    operation: Operation,
    request: PredictRequest,
    *,
    opens: "Callable[[Archive], bool]" = lambda _: True,
    stop: threading.Event | None = None,
) -> "ImageSource":
    """The inputs that the request names, with the images of the archives that it `opens`."""
    from facemon.object_storage.object_store import ObjectStores
    from facemon.predict.image_source import ImageSource

    return ImageSource(
        request.paths,
        observed_at=request.observed_at,
        source=request.source,
        path_list=request.path_list,
        null=request.null,
        tables=operation.config.tables,
        root=request.root,
        formats=operation.config.predict.formats,
        stores=ObjectStores(),
        max_bytes=operation.config.predict.max_bytes,
        span=request.span,
        opens=opens,
        stop=stop,
    )


def are_more_than(operation: Operation, request: PredictRequest, number: int) -> bool:
    """Whether the request names more images, which are counted no further; true of a list, which is read once."""
    from facemon.predict.inputs.registry import are_read_once

    if are_read_once(request.paths):
        return True
    count = _counted(operation, request, number + 1)
    return count is None or count > number


def _counted(operation: Operation, request: PredictRequest, most: int | None = None) -> int | None:
    """How many images there are, up to a number, as far as they can be read: the run itself tells of damage.

    None where an archive among them would have to be read for that.
    """
    count = 0
    with suppress(FacemonError):
        for found in islice(images_of(operation, request, opens=lambda archive: archive.is_counted).found(), most):
            if found.archive is not None:
                return None
            count += 1
    return count


def count_ahead(operation: Operation, request: PredictRequest, progress: Progress) -> None:
    """Count the images beside the run, for the time left; a list on stdin cannot be read twice."""
    from facemon.predict.inputs.registry import are_read_once

    if are_read_once(request.paths) or not progress.is_shown:
        return

    def count() -> None:
        if (images := _counted(operation, request)) is not None:
            progress.expect(images)

    threading.Thread(target=count, daemon=True).start()


def refuse_other_inputs(run: "Run", stream: "Iterable[ImageInput]", stop: threading.Event) -> None:
    """FacemonError unless a stream begins with the inputs that the run has; one that was stopped may end before."""
    from facemon.store.runs import check_same_inputs

    try:
        check_same_inputs(run, (image.name for image in islice(stream, run.done)))
    except FacemonError:
        if not stop.is_set():
            raise
