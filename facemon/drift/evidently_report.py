"""Evidently's drift report on a sample of the rows: its HTML for people, its numbers beside their meaning.

The only file that imports evidently, and with it pandas: six seconds and 285 MB, so inside the function.
"""

import json
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from facemon.config.drift import EvidentlyConfig
from facemon.config.model import LOG_COLUMNS, AttributeConfig
from facemon.domain.drift_result import CheckResult, ColumnResult, Verdict
from facemon.drift.sample import IGNORED, NO_VALUES
from facemon.errors import ConfigError, FacemonError
from facemon.near_names import did_you_mean
from facemon.store.report_files import dated_name, write_report

_DISTANCES = {
    "jensenshannon": ("categorical", "numerical"),
    "hellinger": ("categorical", "numerical"),
    "kl_div": ("categorical", "numerical"),
    "psi": ("categorical", "numerical"),
    "wasserstein": ("numerical",),
    "ed": ("numerical",),
}
_TESTS = {
    "chisquare": ("categorical",),
    "z": ("categorical",),
    "fisher_exact": ("categorical",),
    "g_test": ("categorical",),
    "TVD": ("categorical",),
    "ks": ("numerical",),
    "anderson": ("numerical",),
    "cramer_von_mises": ("numerical",),
    "es": ("numerical",),
    "mannw": ("numerical",),
    "t_test": ("numerical",),
    "empirical_mmd": ("numerical",),
}
_DEFAULTS: Mapping[str, str] = {"categorical": "jensenshannon", "numerical": "wasserstein"}
_MISSING = "(missing)"
_MOST_LABELS = 1_000
_SEED = 20_261_123
_BODY = re.compile(r"<body[^>]*>")


@dataclass(frozen=True, slots=True)
class _Plan:
    """The columns that Evidently is given, and the results of those that it cannot take."""

    categorical: tuple[str, ...]
    numerical: tuple[str, ...]
    left_out: tuple[ColumnResult, ...]


def run_evidently(
    reference: pa.Table,
    current: pa.Table,
    *,
    settings: EvidentlyConfig,
    attributes: Sequence[AttributeConfig],
    folder: Path | None,
    at: datetime,
    preface: str = "",
    ignored: Collection[str] = (),
    of_log: bool = False,
    too_few: str | None = None,
) -> tuple[CheckResult, Path | None]:
    """Compare the rows by Evidently's `DataDriftPreset`; with a `folder`, write its report as HTML and JSON there.

    Each side is a seeded sample of at most `settings.max_rows`. A column is drift where Evidently says so; the
    check is, where at least `settings.share` of the columns are. A column that would abort or fool Evidently
    (absent or all null on a side) is left out and undecided. The path is that of the HTML, or None where none was
    written, as where no column was left to compare. `preface` is HTML that the page begins with; the columns
    `ignored` are not compared. `of_log` says that the current rows are the log's, which has every attribute. Where
    there are `too_few` rows, for that reason, Evidently is not even loaded, and its columns are undecided.
    ConfigError for a method that Evidently does not have.
    """
    methods = checked_methods(settings)
    sides = [_plain(_sampled(rows, settings.max_rows)) for rows in (reference, current)]
    plan = _plan(sides[0], sides[1], attributes, ignored, of_log=of_log)
    if too_few is not None:
        columns = (*_untested(plan, too_few, sides), *plan.left_out)
        return CheckResult(Verdict.UNDECIDED, settings.share, columns), None
    if not (plan.categorical or plan.numerical):
        return CheckResult(Verdict.UNDECIDED, settings.share, plan.left_out), None
    snapshot = _run(sides, plan, methods, settings.share)
    html = None if folder is None else _write(snapshot, folder, at, preface)
    columns = (*_column_results(snapshot.dict(), plan, methods, sides), *plan.left_out)
    return CheckResult(_verdict(columns, settings.share), settings.share, columns), html


def checked_methods(settings: EvidentlyConfig) -> dict[str, str]:
    """The method of each kind of column; ConfigError for one that Evidently does not have."""
    methods = dict(_DEFAULTS) | {str(kind): method for kind, method in settings.methods.items()}
    for kind, method in methods.items():
        known = [name for name, kinds in (_DISTANCES | _TESTS).items() if kind in kinds]
        if method not in known:
            raise ConfigError(
                f"drift.evidently.methods.{kind}: Evidently has no {kind} method {method!r}",
                f"{did_you_mean(method, known)} It has {', '.join(known)}".lstrip(),
            )
    return methods


def _sampled(rows: pa.Table, most: int) -> pa.Table:
    if rows.num_rows <= most:
        return rows
    chosen = np.random.default_rng(_SEED).choice(rows.num_rows, most, replace=False)
    return rows.take(pa.array(np.sort(chosen)))


def _plain(rows: pa.Table) -> pa.Table:
    """The rows with dictionary-encoded columns, which Arrow cannot count, decoded."""
    columns = {name: rows.column(name) for name in rows.column_names}
    return pa.table(
        {
            name: column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
            for name, column in columns.items()
        }
    )


def _plan(
    reference: pa.Table,
    current: pa.Table,
    attributes: Sequence[AttributeConfig],
    ignored: Collection[str],
    *,
    of_log: bool,
) -> _Plan:
    of_attributes = [column for attribute in attributes for column in attribute.columns]
    # The label of an attribute, or its number: its confidences are not in every reference.
    main = {attribute.columns[0] for attribute in attributes}
    found = [name for name in (*reference.column_names, *current.column_names) if name not in LOG_COLUMNS]
    listed = [name for name in of_attributes if name in found or (of_log and name in main)]
    labels, numbers, left_out = [], [], []
    for name in dict.fromkeys([*listed, *found]):
        sides = [side.column(name) if name in side.column_names else None for side in (reference, current)]
        kinds = [None if column is None else _kind(column) for column in sides]
        reason, verdict = _obstacle(sides, kinds)
        if name in ignored:
            reason, verdict = IGNORED, Verdict.NOT_COMPARED
        elif sides[0] is None and name in main:
            verdict = Verdict.UNDECIDED
        if reason is not None:
            rows = [0 if column is None else len(column) for column in sides]
            kind = next((kind for kind in kinds if kind in _RESULT_KINDS), "categorical")
            left_out.append(
                ColumnResult(name, _RESULT_KINDS[kind], verdict, n_reference=rows[0], n_current=rows[1], reason=reason)
            )
        elif kinds[0] == "numerical":
            numbers.append(name)
        else:
            labels.append(name)
    return _Plan(tuple(labels), tuple(numbers), tuple(left_out))


_RESULT_KINDS = {"categorical": "categorical", "numerical": "number"}


def _kind(column: pa.ChunkedArray) -> str:
    type_ = column.type
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return "numerical"
    if pa.types.is_boolean(type_) or pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return "categorical"
    return "null" if pa.types.is_null(type_) else str(type_)


def _obstacle(columns: Sequence[pa.ChunkedArray | None], kinds: Sequence[str | None]) -> tuple[str | None, Verdict]:
    """Why Evidently is not given a column, and what that makes of it; no reason where it is."""
    for column, side in zip(columns, ("reference", "current data"), strict=True):
        if column is None:
            verdict = Verdict.NOT_COMPARED if side == "reference" else Verdict.UNDECIDED
            return f"the {side} has no such column", verdict
    held = [column for column in columns if column is not None]
    empty = [kind == "null" or not _has_values(column) for column, kind in zip(held, kinds, strict=True)]
    if all(empty):
        return NO_VALUES, Verdict.NOT_COMPARED
    if any(empty):
        side = "reference" if empty[0] else "current data"
        return f"all values are missing in the {side}, which Evidently cannot compare", Verdict.UNDECIDED
    if kinds[0] not in _RESULT_KINDS or kinds[1] not in _RESULT_KINDS:
        return "it holds neither numbers nor labels", Verdict.NOT_COMPARED
    if kinds[0] != kinds[1]:
        return f"{kinds[0]} in the reference, {kinds[1]} in the current data", Verdict.UNDECIDED
    distinct = max(pc.count_distinct(column).as_py() for column in held)
    if kinds[0] == "categorical" and (distinct > _MOST_LABELS or distinct > max(20, len(held[0]) / 2)):
        return "it names single rows (an identifier)", Verdict.NOT_COMPARED
    return None, Verdict.OK


def _untested(plan: _Plan, reason: str, sides: Sequence[pa.Table]) -> Iterator[ColumnResult]:
    """The columns that Evidently would have been given, undecided."""
    for kind, names in (("categorical", plan.categorical), ("numerical", plan.numerical)):
        for name in names:
            yield ColumnResult(
                name,
                _RESULT_KINDS[kind],
                Verdict.UNDECIDED,
                n_reference=sides[0].num_rows,
                n_current=sides[1].num_rows,
                reason=reason,
            )


def _has_values(column: pa.ChunkedArray) -> bool:
    if pa.types.is_floating(column.type):
        return bool(pc.any(pc.is_finite(column)).as_py())
    return column.null_count < len(column)


def _run(sides: Sequence[pa.Table], plan: _Plan, methods: Mapping[str, str], share: float) -> Any:
    """Evidently's snapshot of the comparison."""
    with warnings.catch_warnings():
        # Evidently divides by zero and uses what pandas deprecates; its readers can do nothing about either.
        warnings.simplefilter("ignore")
        from evidently import DataDefinition, Dataset, Report
        from evidently.presets import DataDriftPreset

        names = tagless((*plan.categorical, *plan.numerical))
        definition = DataDefinition(
            categorical_columns=[names[name] for name in plan.categorical],
            numerical_columns=[names[name] for name in plan.numerical],
        )
        reference, current = (
            Dataset.from_pandas(side.rename_columns(names).to_pandas(), data_definition=definition)
            for side in _with_tagless_labels([_prepared(side, plan) for side in sides], plan)
        )
        preset = DataDriftPreset(cat_method=methods["categorical"], num_method=methods["numerical"], drift_share=share)
        try:
            # The current data comes first; swapped, Evidently would say nothing.
            return Report([preset], include_tests=True).run(current, reference)
        except (ValueError, ZeroDivisionError) as error:
            raise FacemonError(
                f"Evidently failed: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
                "another method under drift.evidently.methods may fit these columns",
            ) from error


def _prepared(rows: pa.Table, plan: _Plan) -> pa.Table:
    """Labels as text in which "missing" is one; numbers as float64 without infinities, which it chokes on."""
    columns: dict[str, Any] = {}
    for name in plan.categorical:
        column = rows.column(name)
        columns[name] = pc.fill_null(pc.cast(column, pa.string()), _MISSING)
    for name in plan.numerical:
        column = pc.cast(rows.column(name), pa.float64(), safe=False)
        columns[name] = pc.if_else(pc.is_finite(column), column, pa.scalar(None, pa.float64()))
    return pa.table(columns)


def tagless(texts: Iterable[str]) -> dict[str, str]:
    """What stands for each text on Evidently's page: the same without `<`, and no two alike.

    Evidently writes names and labels into a script of its page as they are, where `</script>` would end it.
    """
    texts = list(dict.fromkeys(texts))
    found = {text: text for text in texts if "<" not in text}
    taken = set(found)
    for text in texts:
        if "<" in text:
            stand_in = text.replace("<", "‹")  # noqa: RUF001 - looks alike on purpose
            while stand_in in taken:
                stand_in += "'"
            taken.add(stand_in)
            found[text] = stand_in
    return found


def _with_tagless_labels(sides: Sequence[pa.Table], plan: _Plan) -> list[pa.Table]:
    changed = list(sides)
    for name in plan.categorical:
        labels = tagless(label for side in sides for label in side.column(name).unique().to_pylist())
        if any(label != stand_in for label, stand_in in labels.items()):
            for at, side in enumerate(changed):
                column = pa.array([labels[label] for label in side.column(name).to_pylist()], pa.string())
                changed[at] = side.set_column(side.column_names.index(name), name, column)
    return changed


def _column_results(
    document: Mapping[str, Any], plan: _Plan, methods: Mapping[str, str], sides: Sequence[pa.Table]
) -> list[ColumnResult]:
    status = {test["metric_config"]["metric_id"]: str(test["status"]) for test in document["tests"]}
    metrics = {metric["config"]["column"]: metric for metric in document["metrics"] if "column" in metric["config"]}
    stand_ins = tagless((*plan.categorical, *plan.numerical))
    results = []
    for kind, names in (("categorical", plan.categorical), ("numerical", plan.numerical)):
        method = methods[kind]
        for name in names:
            metric = metrics[stand_ins[name]]
            number, threshold = float(metric["value"]), float(metric["config"]["threshold"])
            is_distance = method in _DISTANCES
            results.append(
                ColumnResult(
                    column=name,
                    kind=_RESULT_KINDS[kind],
                    verdict=Verdict.DRIFT if status[metric["id"]].endswith("FAIL") else Verdict.OK,
                    score=number,
                    p_value=None if is_distance else number,
                    n_reference=sides[0].num_rows,
                    n_current=sides[1].num_rows,
                    method=method,
                    threshold=threshold,
                    test=f"Evidently's {'distance: high' if is_distance else 'p-value: low'} is drift",
                )
            )
    return results


def _verdict(columns: Sequence[ColumnResult], share: float) -> Verdict:
    compared = [column for column in columns if column.verdict in (Verdict.DRIFT, Verdict.OK)]
    drifted = [column for column in compared if column.verdict is Verdict.DRIFT]
    if drifted and len(drifted) >= share * len(compared):
        return Verdict.DRIFT
    if not compared or any(column.verdict is Verdict.UNDECIDED for column in columns):
        return Verdict.UNDECIDED
    return Verdict.OK


def _write(snapshot: Any, folder: Path, at: datetime, preface: str) -> Path:
    """Write the report as JSON and HTML under names that say when."""
    numbers = json.dumps(json.loads(snapshot.json()), indent=2)
    write_report(folder / dated_name("evidently", at, "json"), numbers)
    page = _BODY.sub(lambda tag: tag[0] + preface, snapshot.get_html_str(as_iframe=False), count=1)
    return write_report(folder / dated_name("evidently", at, "html"), page)
