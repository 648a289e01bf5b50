"""What the store's metrics say, read from real ledgers."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import timedelta
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from prometheus_client.core import Metric as Family
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from facemon.domain.drift_result import Check, Verdict
from facemon.domain.metric_catalogue import CATALOGUE, CONFIDENCE_BUCKETS, MetricGroup
from facemon.errors import ExitCode, FacemonError
from facemon.metrics.store_collector import StoreCollector
from facemon.store.compaction import compact
from facemon.store.layout import LEDGER_NAME
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.recorded_commands import record_command
from facemon.store.retention import prune
from tests.metrics.stores import (
    AT,
    DECIDED,
    DRIFT,
    MODEL_CONFIG,
    UNDECIDED,
    check_model,
    column,
    log_faces,
    registry_of,
    samples_of,
    scrape,
)  # fmt: skip
from tests.store.log_rows import NOON, log_images
from tests.store.sql import sql

COUNTED = ("_total", "_bucket", "_count", "_sum")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    with open_ledger(folder, create=True) as opened:
        yield opened


def flat(families: Iterable[Family]) -> set[tuple[str, tuple[tuple[str, str], ...], float]]:
    samples = (sample for family in families for sample in family.samples)
    return {(sample.name, tuple(sorted(sample.labels.items())), sample.value) for sample in samples}


def counters(values: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if name.split("{")[0].endswith(COUNTED)}


def test_every_label_stands_at_0_before_the_first_row(folder: Path, ledger: Ledger) -> None:
    values = samples_of(folder)
    for attribute, label in (("gender", "female"), ("gender", "male"), ("age", "young"), ("age", "old")):
        assert values[f'model_predictions_total{{attribute="{attribute}",model="faces@1",value="{label}"}}'] == 0
    for status in ("ok", "no_face", "failed"):
        assert values[f'images_processed_total{{status="{status}"}}'] == 0
    assert values['model_inference_latency_seconds_bucket{le="0.5",model="faces@1"}'] == 0
    assert values['model_confidence_score_count{attribute="age",model="faces@1"}'] == 0
    assert values['facemon_source_up{source="store"}'] == 1


def test_a_gauge_that_is_not_known_is_absent(folder: Path, ledger: Ledger) -> None:
    log_images(ledger, 20)
    gauges = {name for name, metric in CATALOGUE.items() if metric.type == "gauge"}
    there = {line.split()[2] for line in scrape(folder).splitlines() if line.startswith("# TYPE")}
    assert gauges & there == {"facemon_build_info", "facemon_source_up"}


def test_counters_are_those_of_the_rows(folder: Path, ledger: Ledger) -> None:
    log_images(ledger, 230)
    values = samples_of(folder)
    images = {status: values[f'images_processed_total{{status="{status}"}}'] for status in ("ok", "no_face", "failed")}
    assert images == {"ok": 184, "no_face": 23, "failed": 23}
    faces = 184 + 23  # of ten images one has two
    for labels in (("female", "male"), ("young", "old")):
        assert sum(v for n, v in values.items() if any(f'value="{label}"' in n for label in labels)) == faces
    assert values['model_confidence_score_count{attribute="gender",model="faces@1"}'] == faces
    assert values['model_inference_latency_seconds_sum{model="faces@1"}'] == pytest.approx(3 * 0.31)


def test_buckets_are_cumulative_and_end_in_the_count(folder: Path, ledger: Ledger) -> None:
    log_images(ledger, 300)
    values = samples_of(folder)
    for attribute in ("gender", "age"):
        edges = [*(repr(edge) for edge in CONFIDENCE_BUCKETS), "+Inf"]
        counts = [
            values[f'model_confidence_score_bucket{{attribute="{attribute}",le="{edge}",model="faces@1"}}']
            for edge in edges
        ]
        assert counts == sorted(counts)
        assert counts[-1] == values[f'model_confidence_score_count{{attribute="{attribute}",model="faces@1"}}'] == 270
        assert counts[0] < counts[-1]


def test_a_value_on_an_edge_belongs_below_it(folder: Path, ledger: Ledger) -> None:
    log_faces(ledger, ("female", 0.5, "old", 1.0), latencies=(0.5, 0.5001))
    values = samples_of(folder)
    assert values['model_confidence_score_bucket{attribute="gender",le="0.5",model="faces@1"}'] == 1
    assert values['model_confidence_score_bucket{attribute="age",le="0.99",model="faces@1"}'] == 0
    assert values['model_confidence_score_bucket{attribute="age",le="1.0",model="faces@1"}'] == 1
    assert values['model_inference_latency_seconds_bucket{le="0.5",model="faces@1"}'] == 1
    assert values['model_inference_latency_seconds_bucket{le="0.55",model="faces@1"}'] == 2


def test_an_undecided_check_keeps_the_last_score(folder: Path, ledger: Ledger) -> None:
    check_model(ledger, column("gender", DRIFT, 0.25))
    check_model(ledger, column("gender", UNDECIDED), at=AT + timedelta(hours=1))
    values = samples_of(folder)
    labels = '{attribute="gender",check="model",model="faces@1"}'
    assert values[f"drift_score{labels}"] == 0.25
    assert values[f"drift_p_value{labels}"] == 0.025
    assert values[f"drift_detected{labels}"] == 1
    assert values[f"drift_undecided{labels}"] == 1
    assert values['drift_decided_timestamp_seconds{check="model",model="faces@1"}'] == AT.timestamp()
    check_model(ledger, column("gender", DECIDED, 0.01), at=AT + timedelta(hours=2))
    values = samples_of(folder)
    assert (values[f"drift_score{labels}"], values[f"drift_detected{labels}"]) == (0.01, 0)
    assert values[f"drift_undecided{labels}"] == 0
    assert values['drift_decided_timestamp_seconds{check="model",model="faces@1"}'] == AT.timestamp() + 7200


def test_a_column_that_was_never_decided_has_no_score(folder: Path, ledger: Ledger) -> None:
    check_model(ledger, column("gender", UNDECIDED, 0.3), column("age", Verdict.NOT_COMPARED))
    values = samples_of(folder)
    assert [name for name in values if name.startswith(("drift_score", "drift_p", "drift_det", "drift_dec"))] == []
    assert values['drift_undecided{attribute="gender",check="model",model="faces@1"}'] == 1
    assert values['drift_samples{attribute="gender",check="model",model="faces@1"}'] == 800
    assert not any('attribute="age",check' in name for name in values)


@pytest.mark.parametrize(
    ("labels", "confidences", "detected"), [(DRIFT, DECIDED, 1), (DECIDED, DRIFT, 1), (DECIDED, DECIDED, 0)]
)
def test_an_attribute_drifted_if_its_labels_or_its_confidences_did(
    folder: Path, ledger: Ledger, labels: Verdict, confidences: Verdict, detected: int
) -> None:
    check_model(
        ledger, column("gender", labels, 0.2), column("gender_confidence", confidences, 0.3, measure="confidence")
    )
    values = samples_of(folder)
    series = '{attribute="gender",check="model",model="faces@1"}'
    assert values[f"drift_detected{series}"] == detected
    assert values[f"drift_score{series}"] == 0.2
    assert values[f"confidence_drift_score{series}"] == 0.3


def test_accuracy_is_no_second_score_of_the_labels(folder: Path, ledger: Ledger) -> None:
    check_model(ledger, column("gender", DECIDED, 0.01), column("gender", DRIFT, 0.4, measure="accuracy"))
    values = samples_of(folder)  # fails on a series that is there twice: Prometheus refuses the whole scrape
    assert values['drift_score{attribute="gender",check="model",model="faces@1"}'] == 0.01
    assert values['drift_detected{attribute="gender",check="model",model="faces@1"}'] == 1


@pytest.mark.parametrize(
    "measures",
    [each for size in range(1, 5) for each in combinations(("label", "confidence", "value", "accuracy"), size)],
)
def test_each_series_is_there_once_whatever_is_compared_of_an_attribute(
    folder: Path, ledger: Ledger, measures: tuple[str, ...]
) -> None:
    scores = {"label": 0.1, "confidence": 0.2, "value": 0.4, "accuracy": 0.3}
    check_model(ledger, *(column("gender", DRIFT, scores[each], measure=each) for each in measures))
    values = samples_of(folder)  # fails on a series that is there twice: Prometheus refuses the whole scrape
    main = next((each for each in ("label", "value") if each in measures), None)
    score = values.get('drift_score{attribute="gender",check="model",model="faces@1"}')
    assert score == (main and scores[main])
    assert values['drift_detected{attribute="gender",check="model",model="faces@1"}'] == 1


def test_a_number_attribute_scores_by_its_values(folder: Path, ledger: Ledger) -> None:
    check_model(ledger, column("height", DRIFT, 0.4, measure="value"))
    assert samples_of(folder)['drift_score{attribute="height",check="model",model="faces@1"}'] == 0.4


def test_evidently_is_never_a_drift_score(folder: Path, ledger: Ledger) -> None:
    check_model(ledger, column("gender", DRIFT, 0.9), check=Check.EVIDENTLY)
    assert not any(name.startswith("drift_") for name in samples_of(folder))


def test_a_command_that_fails_keeps_its_last_success(folder: Path, ledger: Ledger) -> None:
    record_command(ledger, "predict", AT, 2.0, ExitCode.OK)
    record_command(ledger, "predict", AT + timedelta(hours=1), 3.0, ExitCode.FAILED)
    record_command(ledger, "drift-check", AT, 1.0, ExitCode.UNDECIDED)
    record_command(ledger, "prune", AT, 1.0, ExitCode.LOCKED)
    values = samples_of(folder)
    assert values['facemon_last_success_timestamp_seconds{command="predict"}'] == AT.timestamp()
    assert values['facemon_last_run_duration_seconds{command="predict"}'] == 3.0
    assert values['facemon_last_success_timestamp_seconds{command="drift-check"}'] == AT.timestamp()
    assert 'facemon_last_success_timestamp_seconds{command="prune"}' not in values


def test_counters_never_fall(folder: Path) -> None:
    seen = list[dict[str, float]]()
    with open_ledger(folder, create=True) as ledger:
        seen.append(counters(samples_of(folder)))
        for seed in range(3):
            log_images(ledger, 60, seed=seed)
            seen.append(counters(samples_of(folder)))
        assert compact(ledger, NOON + timedelta(days=1)).folded == 3
        seen.append(counters(samples_of(folder)))
        log_images(ledger, 40, observed=NOON + timedelta(days=3))
        seen.append(counters(samples_of(folder)))
        assert prune(ledger, NOON + timedelta(days=2)).segments == 1
        seen.append(counters(samples_of(folder)))
    with open_ledger(folder) as ledger:
        log_images(ledger, 10)
    seen.append(counters(samples_of(folder)))
    for earlier, later in pairwise(seen):
        assert earlier.keys() <= later.keys()
        assert all(later[name] >= value for name, value in earlier.items())
    total = sum(value for name, value in seen[-1].items() if name.startswith("images_processed_total"))
    assert total == 230


@pytest.mark.parametrize("damage", ["missing", "no database", "other version", "torn"])
def test_a_broken_store_is_down_not_an_error(folder: Path, damage: str) -> None:
    if damage != "missing":
        with open_ledger(folder, create=True) as ledger:
            log_images(ledger, 200)
    path = folder / LEDGER_NAME
    if damage == "no database":
        path.write_bytes(b"no database" * 500)
    elif damage == "other version":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 99")
    elif damage == "torn":
        whole = path.read_bytes()
        path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    values = samples_of(folder)
    assert values.pop('facemon_source_up{source="store"}') == 0
    assert [name.split("{")[0] for name in values] == ["facemon_build_info"]
    with pytest.raises(FacemonError):
        scrape(folder, must_read=True)


def test_a_store_that_returns_is_seen(folder: Path) -> None:
    registry = registry_of(folder)
    assert registry.get_sample_value("facemon_source_up", {"source": "store"}) == 0
    with open_ledger(folder, create=True) as ledger:
        log_images(ledger, 10)
    assert registry.get_sample_value("facemon_source_up", {"source": "store"}) == 1
    assert registry.get_sample_value("images_processed_total", {"status": "ok"}) == 8


def test_only_the_chosen_groups_are_read(folder: Path, ledger: Ledger) -> None:
    log_images(ledger, 10)
    check_model(ledger, column("gender", DRIFT, 0.25))
    model = scrape(folder, groups=(MetricGroup.MODEL, MetricGroup.FACEMON))
    drift = scrape(folder, groups=(MetricGroup.DRIFT, MetricGroup.FACEMON))
    assert ("model_predictions_total" in model, "drift_score" in model) == (True, False)
    assert ("model_predictions_total" in drift, "drift_score" in drift) == (False, True)


def test_both_text_formats_are_readable(folder: Path, ledger: Ledger) -> None:
    log_images(ledger, 50)
    check_model(ledger, column("gender", DRIFT, 0.25))
    record_command(ledger, 'odd "name"\n\\', AT, 1.0, ExitCode.OK)
    text = flat(parse_text(scrape(folder)))
    assert text == flat(parse_openmetrics(openmetrics(registry_of(folder)).decode()))  # type: ignore[no-untyped-call]
    assert ("command", 'odd "name"\n\\') in {label for _, labels, _ in text for label in labels}


def test_a_scrape_costs_by_series_not_by_rows(tmp_path: Path) -> None:
    statements, steps = [], []
    for rows in (1_000, 20_000):
        folder = tmp_path / str(rows)
        with open_ledger(folder, create=True) as ledger:
            log_images(ledger, rows, batch=1_000)
        traced = list[str]()

        def traced_ledger(folder: Path = folder, traced: list[str] = traced) -> Ledger:
            opened = open_ledger(folder)
            sql(opened).set_trace_callback(traced.append)
            return opened

        collector = StoreCollector(traced_ledger, MODEL_CONFIG, tuple(MetricGroup), must_read=True)
        assert sum(len(family.samples) for family in collector.collect()) > 30
        statements.append(len(traced))
        assert not any("segments" in statement or "profiles" in statement for statement in traced)
        steps.append(steps_of_a_scrape(folder))
    assert statements[0] == statements[1]
    assert steps[1] < 1.5 * steps[0], steps


def steps_of_a_scrape(folder: Path) -> int:
    """How many hundreds of instructions SQLite's virtual machine runs for one."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    def counted_ledger() -> Ledger:
        opened = open_ledger(folder)
        sql(opened).set_progress_handler(step, 100)
        return opened

    collector = StoreCollector(counted_ledger, MODEL_CONFIG, tuple(MetricGroup), must_read=True)
    assert list(collector.collect())
    return count
