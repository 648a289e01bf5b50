"""The part of `facemon.Monitor` that only looks: at the log, the references, the checks and the model."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from facemon.config.document import Config
from facemon.monitor.counted_calls import counted_calls
from facemon.monitor.given_times import Since, Until

if TYPE_CHECKING:
    import pyarrow as pa

    from facemon.application.described_model import DescribedModel
    from facemon.application.logged_rows import Take
    from facemon.application.metric_values import MetricValues
    from facemon.application.operation import Operation
    from facemon.application.references import DescribedReference, ReferenceDifference
    from facemon.config.model import AttributeConfig
    from facemon.domain.drift_result import DriftResult
    from facemon.domain.explanation import Explanation
    from facemon.store.named_reference import Reference
    from facemon.store.verification import Verification


@counted_calls
class Looks:
    """What can be asked of the store and the model of one configuration; nothing is changed."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def rows(
        self,
        since: Since = None,
        until: Until = None,
        *,
        source: str | Iterable[str] = (),
        where: str | Iterable[str] = (),
        confidence_below: float | None = None,
        error: str | Iterable[str] = (),
        failed: bool = False,
        image: str | None = None,
        limit: int | None = 20,
        worst: int | None = None,
        labels: Any = None,
        unusual: int | None = None,
        model: str | None = None,
    ) -> "pa.Table":
        """Rows of the log as an Arrow table, the newest first, as `facemon log` shows them.

        Without `since` and `until` rows of all times are searched. `where` holds conditions such as `gender=female` or
        `age<18`, `image` is a shell pattern, and a `limit` of None takes all rows. With `worst` and `labels`, the path
        of a table or rows in memory, the result has the column `worst`, a struct of attribute, true and off_by; with
        `unusual` the column `unusual`, a struct of score, feature, value and median. UsageError for conditions that
        make no sense, FacemonError where the log has no rows of the model or damaged segments were left out.
        """
        import pyarrow as pa

        from facemon.application.logged_rows import LogRequest, read_log
        from facemon.application.row_filter import RowFilter
        from facemon.domain.prediction import log_schema
        from facemon.monitor.compared_rows import table_or_rows

        sources, conditions, errors = (
            (given,) if isinstance(given, str) else tuple(given) for given in (source, where, error)
        )
        table = None if labels is None else table_or_rows(labels)
        operation = self._operation(labels=table, model=model, image=image)
        chosen = RowFilter(sources, conditions, confidence_below, errors, failed, image)
        schema, batches = pa.schema([]), list[pa.RecordBatch]()

        @contextmanager
        def show(attributes: "Sequence[AttributeConfig]", beside: pa.Field | None) -> "Iterator[Take]":
            nonlocal schema
            schema = pa.schema([*log_schema(attributes), *([beside] if beside else [])])
            yield batches.append

        read_log(
            operation, LogRequest(since, until, model, chosen, limit, worst, table, unusual), show
        ).refuse_left_out(operation)
        return pa.Table.from_batches(batches, schema)

    def references(self) -> "list[Reference]":
        """All references, newest first."""
        from facemon.application.references import list_references

        return list_references(self._operation())

    def describe_reference(self, name: str | None = None) -> "DescribedReference":
        """A reference, where it came from and how much current data its checks need: `facemon reference show`."""
        from facemon.application.references import describe_reference

        return describe_reference(self._operation(name=name), name)

    def compare_references(self, first: str, second: str) -> "ReferenceDifference":
        """How the reference `second` differs from `first`, as `facemon reference diff` tells."""
        from facemon.application.references import compare_references

        return compare_references(self._operation(first=first, second=second), first, second)

    def explain_check(
        self, column: str, *, check: Literal["all", "data", "model"] = "all", model: str | None = None
    ) -> "list[Explanation]":
        """Why a column got its verdict in the last recorded check, as `facemon drift-check --explain` tells."""
        from facemon.application.drift_question import DriftRequest
        from facemon.application.last_check import explain_last_check
        from facemon.monitor.compared_rows import OWN_CHECKS, one_of

        request = DriftRequest(choice=one_of("check", check, OWN_CHECKS), model=model)
        return explain_last_check(self._operation(column=column, model=model), request, column).explanations

    def history(self) -> "list[DriftResult]":
        """The results of the last recorded checks, newest first: `facemon drift-check --history`."""
        from facemon.application.last_check import recorded_checks

        return recorded_checks(self._operation())

    def explain(self, name: str) -> dict[str, Any]:
        """What an alert, a metric, a column of the log, a source or a query is: the JSON of `facemon explain`."""
        from facemon.application.explanation import explain_name

        return explain_name(self._operation(name=name), name).document()

    def metric_values(self, name: str | None = None) -> "MetricValues":
        """The catalogue of metrics with the values of the store, as `facemon metrics` lists them.

        FacemonError where the store is missing or cannot be read.
        """
        from facemon.application.metric_values import metric_values

        found = metric_values(self._operation(name=name), name)
        if found.trouble is not None:
            raise found.trouble
        return found

    def describe_model(self) -> "DescribedModel":
        """The card of the configured model, as `facemon model show` prints it; FacemonError where a file is missing."""
        from facemon.application.described_model import describe_model

        return describe_model(self._operation())

    def store_info(self) -> dict[str, Any]:
        """What the log holds, as `facemon store info --json` tells."""
        from facemon.application.store_care import store_info

        return store_info(self._operation())

    def verify_store(self) -> "Verification":
        """Read the whole log and list what is wrong with it, as `facemon store verify` does."""
        from facemon.application.store_care import verify_store

        return verify_store(self._operation())

    def _operation(self, **given: Any) -> "Operation":
        """The operation of one call; UsageError where a given text or path is one that facemon cannot use."""
        from facemon.application.given_values import refuse_unusable
        from facemon.application.operation import Operation
        from facemon.monitor.python_reporter import PythonReporter

        refuse_unusable(given)
        return Operation(self.config, PythonReporter())
