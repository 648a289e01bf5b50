"""`facemon.Monitor`: predict with the configured model, log what another one predicted, compare with what is normal."""

import os
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from facemon.config.document import Config
from facemon.config.loader import load_config
from facemon.config.serving import StoreConfig
from facemon.errors import FacemonError
from facemon.values.image_input import ImageInput, shown_name, url_problem

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.model.predictor import Predictor
    from facemon.store.ledger import Ledger
    from facemon.store.references import Reference
    from facemon.store.runs import RunIdentity
    from facemon.values.drift_result import DriftResult

_IDENTITY = "facemon.Monitor"


class Monitor:
    """The store and the model of one configuration; several threads may use it at once.

    `config` is a configuration, the path of one, or none for the `facemon.yaml` here, or else the defaults. The
    model's files are read when `predict` is first called: `log` needs only the attributes' descriptions.
    """

    def __init__(self, config: Config | Path | str | None = None) -> None:
        """ConfigError when the file is wrong."""
        self.config = config if isinstance(config, Config) else load_config(None if config is None else Path(config))
        self._loading = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open between calls."""

    def predict(
        self,
        images: Iterable[Any],
        *,
        source: str | None = None,
        observed_at: datetime | None = None,
        threads: int | None = None,
    ) -> "pa.Table":
        """Predict images and log them; answer their rows, in the columns of the log.

        An image is a path, a file's bytes, a PIL image, or an array [height, width, 3] of RGB bytes; or a pair of a
        name and one of these. `observed_at` is when they were taken (a naive time is UTC), else now. One row at
        least for each image: what could not be predicted has an `error`. FacemonError for trouble with the model or
        the store.
        """
        import pyarrow as pa

        from facemon.predict.pipeline import default_threads, run_pipeline
        from facemon.store.segment_writer import SegmentWriter
        from facemon.values.prediction import log_schema

        if self.config.model.faces.finder == "manifest":
            raise FacemonError(
                "model.faces.finder is manifest, and images given to Monitor.predict bring no boxes of faces",
                "predict a manifest with facemon predict, or set model.faces.finder to dlib, yunet or none",
            )
        predictor = self._predictor()
        workers = threads or self.config.predict.threads or default_threads()
        inputs = _inputs(images, source, _utc(observed_at))
        batches = []
        with self._run(predictor.fingerprint, source) as (ledger, run):
            predictor.go_by(ledger.clock.now)
            writer = SegmentWriter(ledger, run)
            try:
                for batch in run_pipeline(inputs, predictor, run=run.id, threads=workers, stop=threading.Event()):
                    writer.add(batch)
                    batches.append(batch.rows)
            finally:
                writer.close()
        return pa.Table.from_batches(batches, log_schema(self.config.model.attributes))

    def log(self, rows: Any, *, source: str | None = None, observed_at: datetime | None = None) -> int:
        """Log predictions that were made elsewhere; answer how many rows.

        `rows` is a table (of pandas, Polars, DuckDB, pyarrow, or of whatever else speaks Arrow's C interface), an
        iterable of tables, which are written one after the other, or an iterable of mappings. Each row names its
        `image`; for each attribute there may be `<name>` (the label), `<name>_confidence` and `<name>_value`, and
        beside them `source`, `observed_at`, `face`, `box`, `face_confidence`, `error`, `error_message`, `image_id`,
        `image_sha256` and the image's features. A pandas index named like one of these columns is that column.
        FacemonError names the first cell that cannot be; what was written before it stays.
        """
        from facemon.monitor.foreign_rows import log_rows, tables_of
        from facemon.store.segment_writer import SegmentWriter
        from facemon.values.prediction import Origin, PredictedBatch, log_schema

        count = ordinal = 0
        with self._run("", source) as (ledger, run):
            writer = SegmentWriter(ledger, run)
            try:
                for table in tables_of(rows, log_schema(self.config.model.attributes).names):
                    now = ledger.now()
                    batch, end = log_rows(
                        table,
                        self.config.model.attributes,
                        first_ordinal=ordinal,
                        constants={
                            "run": run.id,
                            "predicted_at": now,
                            "model": self.config.model.id,
                            "origin": Origin.BATCH.value,
                        },
                        source=source,
                        observed_at=_utc(observed_at) or now,
                    )
                    if batch.num_rows:
                        writer.add(PredictedBatch(batch, range(ordinal, end), ()))
                    count, ordinal = count + batch.num_rows, end
            finally:
                writer.close()
        return count

    def set_reference(
        self,
        rows: Any,
        *,
        name: str | None = None,
        kind: Literal["predictions", "labels"] = "predictions",
        note: str = "",
    ) -> "Reference":
        """Make rows the reference that later checks compare with, as `facemon reference set FILE` does.

        `rows` is what `log` takes, with any columns: attributes under the names of `tables:` in the configuration,
        their sources under `source`; every other column, and every level of a pandas index with a name, is one of the
        data check. `kind` says whether they hold a
        model's predictions or true labels, `note` why they are normal. Without a name it is called by the time.
        FacemonError where the name is taken, or another process sets a reference.
        """
        from facemon.monitor.compared_rows import make_reference

        return make_reference(self.config, rows, name=name, kind=kind, note=note)

    def check(
        self,
        rows: Any,
        *,
        reference: str | None = None,
        checks: Iterable[str] = ("data", "model"),
        by_source: bool = False,
        record: bool = False,
    ) -> "DriftResult":
        """Compare rows with a reference, as `facemon drift-check --current FILE` does.

        `rows` is what `set_reference` takes. `reference` is a name in the store, else `drift.reference`, else the
        newest that fits the model; FacemonError where there is none. `by_source` asks for a verdict on each source
        too. The store does not change, unless `record` is set: then metrics, history and `facemon drift-check
        --history` show the result, and LockedError is raised while another check is being recorded. `drift.on_drift`
        is never run: the caller has the result.
        """
        from facemon.monitor.compared_rows import check_rows

        return check_rows(self.config, rows, reference=reference, checks=checks, by_source=by_source, record=record)

    def _predictor(self) -> "Predictor":
        with self._loading:
            return self._loaded

    @cached_property
    def _loaded(self) -> "Predictor":
        from facemon.model.predictor import Predictor

        return Predictor(self.config.model, self.config.predict)

    def _run(self, fingerprint: str, source: str | None) -> "_Run":
        from facemon.store.runs import RunIdentity

        if source is not None and shown_name(source) != source:
            raise FacemonError(f"the source {source!r} is not Unicode text")
        return _Run(self.config.store, RunIdentity((_IDENTITY,), self.config.model.id, fingerprint, source))


class _Run:
    """A run of its own for one call, in a ledger that is this call's alone."""

    def __init__(self, store: StoreConfig, identity: "RunIdentity") -> None:
        self._store = store
        self._identity = identity

    def __enter__(self) -> "tuple[Ledger, Any]":
        from facemon.store.ledger import Ledger
        from facemon.store.runs import begin_run

        self._ledger = Ledger.open(self._store.path, create=True, mode=self._store.mode)
        try:
            self._run = begin_run(self._ledger, self._identity, self._ledger.now())
        except BaseException:
            self._ledger.close()
            raise
        return self._ledger, self._run

    def __exit__(self, *_: object) -> None:
        from facemon.store.runs import finish_run

        try:
            # Finished whatever happened: nobody can resume a call.
            with self._run:
                finish_run(self._ledger, self._run, self._ledger.now())
        finally:
            self._ledger.close()


def _inputs(images: Iterable[Any], source: str | None, observed_at: datetime | None) -> Iterator[ImageInput]:
    if isinstance(images, str | bytes | os.PathLike):
        raise FacemonError("predict takes several images", "put a single one into a list")
    for ordinal, image in enumerate(images):
        is_named = isinstance(image, tuple) and len(image) == 2 and isinstance(image[0], str)
        name, given = image if is_named else (None, image)
        if isinstance(given, str | os.PathLike):
            path = Path(given)
            yield ImageInput(
                ordinal, shown_name(name or str(given)), path,
                observed_at=observed_at, source=source, problem=url_problem(str(given)),
            )  # fmt: skip
        else:
            content = _content(given, ordinal)
            name = shown_name(name or f"image-{ordinal}")
            yield ImageInput(ordinal, name, content=content, observed_at=observed_at, source=source)


def _content(image: Any, ordinal: int) -> bytes:
    """The bytes of a file; an image in memory becomes a PNG, which loses nothing."""
    from PIL import Image

    if isinstance(image, bytes | bytearray | memoryview):
        return bytes(image)
    if not isinstance(image, Image.Image):
        try:
            image = Image.fromarray(image)
        except (TypeError, ValueError, AttributeError) as error:
            kinds = "a path, bytes, a PIL image or an array [height, width, 3] of bytes"
            raise FacemonError(f"image {ordinal} is a {type(image).__name__}, not {kinds}") from error
    stream = BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _utc(time: datetime | None) -> datetime | None:
    if time is None:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
