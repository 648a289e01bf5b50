"""`facemon.Monitor`: predict with the configured model, log what another one predicted, compare with what is normal."""

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self, get_args

from facemon.config.document import Config
from facemon.config.loader import load_config
from facemon.monitor.counted_calls import counted_calls
from facemon.monitor.given_times import Begin, Since, Until, time_in_utc
from facemon.monitor.looks import Looks

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.config.stack import Purpose
    from facemon.domain.drift_result import DriftResult
    from facemon.evaluation.evaluation import Evaluation
    from facemon.model.predictor import Predictor
    from facemon.monitor.row_faults import RowsPlace
    from facemon.store.named_reference import Reference


@counted_calls
class Monitor(Looks):
    """The store and the model of one configuration; several threads may use it at once, and forked processes.

    `config` is a configuration, the path of one, or none for the `facemon.yaml` here, or else the defaults. The
    model's files are read when `predict` is first called: `log` needs only the attributes' descriptions.
    """

    def __init__(self, config: Config | Path | str | None = None) -> None:
        """ConfigError when the file is wrong."""
        super().__init__(
            config if isinstance(config, Config) else load_config(None if config is None else Path(config))
        )
        self._loading = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open between calls."""

    def __reduce__(self) -> NoReturn:
        """TypeError: what a model has loaded belongs to its process."""
        raise TypeError(
            "a facemon.Monitor cannot be pickled or copied: send the path of its configuration, and create "
            "facemon.Monitor(path) in each process"
        )

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
        from facemon.application.calls_from_python import predict_images, refuse_a_finder_of_given_boxes
        from facemon.monitor.given_images import given_images

        refuse_a_finder_of_given_boxes(self.config)
        predictor, given = self._predictor(), given_images(images, source, time_in_utc(observed_at))
        return predict_images(self._operation(source=source), predictor, given, source=source, threads=threads)

    def log(self, rows: Any, *, source: str | None = None, observed_at: datetime | None = None) -> int:
        """Log predictions that were made elsewhere; answer how many rows.

        `rows` is a table (of pandas, Polars, DuckDB, pyarrow, or of whatever else speaks Arrow's C interface), an
        iterable of tables, which are written one after the other, or an iterable of mappings. Each row names its
        `image`; for each attribute there may be `<name>` (the label), `<name>_confidence` and `<name>_value`, and
        beside them `source`, `observed_at`, `face`, `box`, `face_confidence`, `error`, `error_message`, `image_id`,
        `image_sha256` and the image's features. A pandas index named like one of these columns is that column.
        A new image begins where one of `image`, `source`, `observed_at`, `image_sha256` and `image_id` is not that of
        the row before. FacemonError names the first cell that cannot be, by its row, counted from 0, and how many rows
        are logged before it: they stay. An error that an iterable itself raises has a note that says it.
        """
        from facemon.application.calls_from_python import log_predictions
        from facemon.domain.prediction import log_schema
        from facemon.monitor.foreign_rows import given_tables, log_rows

        attributes, at = self.config.model.attributes, time_in_utc(observed_at)

        def complete(
            given: "tuple[RowsPlace, pa.Table]", first: int, constants: Mapping[str, Any], now: datetime
        ) -> "tuple[pa.RecordBatch, int]":
            place, table = given
            with place.named():
                return log_rows(
                    table, attributes, first_ordinal=first, constants=constants, source=source, observed_at=at or now
                )

        tables = given_tables(rows, log_schema(attributes).names)
        return log_predictions(self._operation(source=source), tables, complete, source=source)

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
        from facemon.application.references import ReferenceRequest, set_reference
        from facemon.monitor.compared_rows import KINDS, one_of, rows_in_memory

        operation = self._operation(name=name, note=note)
        chosen = one_of("kind", str(kind), KINDS)
        request = ReferenceRequest(rows_in_memory(rows), name=name, kind=chosen, note=note, plans=False)
        return set_reference(operation, request).reference

    def set_reference_window(
        self, since: Begin, until: Until = None, *, name: str | None = None, note: str = ""
    ) -> "Reference":
        """Make logged predictions the reference, as `facemon reference set --since` does.

        `since` is a time, or a duration before `until`, which is now where it is None: as text ("24h") or as values. A
        time without a zone is UTC. FacemonError where the log has no rows of the model in the window.
        """
        from facemon.application.references import ReferenceRequest, set_reference

        request = ReferenceRequest(since=since, until=until, name=name, note=note, plans=False)
        return set_reference(self._operation(name=name, note=note), request).reference

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
        from facemon.application.drift_check import check_drift
        from facemon.application.drift_question import DriftRequest
        from facemon.monitor.compared_rows import choice_of, rows_in_memory

        request = DriftRequest(
            choice=choice_of(checks),
            may_ask_evidently=False,
            reference=reference,
            current=rows_in_memory(rows),
            by_source=by_source,
            record=record or None,
        )
        return check_drift(self._operation(reference=reference), request).told

    def check_window(
        self,
        since: Since = None,
        until: Until = None,
        *,
        reference: Path | str | None = None,
        check: Literal["all", "data", "model", "evidently"] = "all",
        source: str | None = None,
        model: str | None = None,
        by_source: bool = False,
        record: bool | None = None,
    ) -> "DriftResult":
        """Compare the log's rows of a window with a reference, as `facemon drift-check` does.

        `since` and `until` are as for `set_reference_window`; without them the window is `drift.window`. `reference`
        is a name in the store, or the Path of a table. A check that asks what the configuration asks is recorded,
        unless `record` decides otherwise. `drift.on_drift` is never run. `model` is whose rows are compared, `source`
        the one source that is wanted.
        """
        from facemon.application.drift_check import check_drift
        from facemon.application.drift_question import CheckChoice, DriftRequest
        from facemon.monitor.compared_rows import one_of

        operation = self._operation(reference=reference, source=source, model=model)
        request = DriftRequest(
            choice=one_of("check", check, CheckChoice),
            model=model,
            reference=reference,
            since=since,
            until=until,
            source=source,
            by_source=by_source,
            record=record,
        )
        return check_drift(operation, request).told

    def evaluate(
        self, labels: Any, *, observed_since: Since = None, model: str | None = None, by_source: bool = False
    ) -> "Evaluation":
        """Compare logged predictions with true labels and record the accuracy, as `facemon evaluate` does.

        `labels` is the path of a table, or rows in memory as `set_reference` takes them. FacemonError where the log
        has no predictions of the model, and where damaged segments were left out: then nothing is recorded.
        """
        from facemon.application.evaluation import EvaluationRequest, evaluate
        from facemon.monitor.compared_rows import table_or_rows

        table = table_or_rows(labels)
        operation = self._operation(labels=table, model=model)
        found = evaluate(operation, EvaluationRequest(table, observed_since, model, by_source))
        found.refuse_left_out(operation)
        return found.result

    def export_metrics(
        self, textfile: Path | str | None = None, *, export: Literal["all", "model", "drift"] = "all"
    ) -> str:
        """The store's metrics in the exposition format, written to a `*.prom` file too if one is named.

        As `facemon export-metrics`, whose last success the store then knows.
        """
        from facemon.application.metrics_export import Export, ExportRequest, export_metrics
        from facemon.monitor.compared_rows import one_of

        path = None if textfile is None else Path(textfile)
        request = ExportRequest(one_of("export", export, Export), path)
        return export_metrics(self._operation(textfile=path), request)

    def render_config(
        self, out: Path | str = ".", *, only: Iterable[str] = (), purpose: "Purpose | None" = None
    ) -> "tuple[str, ...]":
        """Write the monitoring stack below `out`, as `facemon render-config` does; return the paths that were written.

        `only` names parts, `purpose` replaces `stack.for`. FacemonError where a file that was edited by hand is kept.
        """
        from facemon.application.rendered_stack import RenderRequest, render_stack, write_stack
        from facemon.config.stack import Purpose
        from facemon.monitor.compared_rows import one_of

        operation, chosen = self._operation(out=Path(out)), purpose and one_of("purpose", purpose, get_args(Purpose))
        parts = (only,) if isinstance(only, str) else tuple(only)
        return write_stack(operation, render_stack(operation, RenderRequest(Path(out), parts, chosen)))

    def report(
        self, out: Path | str | None = None, *, since: Since = None, until: Until = None, source: str | None = None,
        model: str | None = None, images: bool = False,
    ) -> Path:  # fmt: skip
        """Write the page of a period, as `facemon report` does, and return where it is.

        `since` and `until` are as for `set_reference_window`; without them the period is the last 30 days. FacemonError
        where the store has nothing of the model in it, or the page cannot be written.
        """
        from facemon.application.report import ReportRequest, make_report

        path = None if out is None else Path(out)
        operation = self._operation(out=path, source=source, model=model)
        return make_report(operation, ReportRequest(path, since, until, source, model, images))

    def _predictor(self) -> "Predictor":
        with self._loading:
            return self._loaded

    @cached_property
    def _loaded(self) -> "Predictor":
        from facemon.model.factory import ModelFactory

        return ModelFactory.of(self.config)()
