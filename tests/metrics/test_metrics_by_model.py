"""What the metrics say of several models in one store, and for how long of one that was replaced."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facemon.metrics.exposition import exposition
from facemon.store.evaluations import record_accuracy
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from tests.metrics.stores import (
    AT,
    DECIDED,
    DRIFT,
    MODEL_CONFIG,
    UNDECIDED,
    check_model,
    column,
    registry_of,
    samples_of,
    values_of,
)  # fmt: skip
from tests.store.log_rows import log_images
from tests.store.sql import sql


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    with open_ledger(folder, create=True) as opened:
        yield opened


def test_each_model_has_gauges_of_its_own(folder: Path, ledger: Ledger) -> None:
    check_model(ledger, column("gender", DRIFT, 0.515))
    check_model(ledger, column("gender", UNDECIDED), model="b@1", at=AT + timedelta(hours=1))
    check_model(ledger, column("gender", DECIDED, 0.004), model="b@1", at=AT + timedelta(hours=2))
    record_accuracy(ledger, "faces@1", AT, {"gender": (36, 40)}, ())
    record_accuracy(ledger, "b@1", AT, {"gender": (20, 40)}, ())
    values = samples_of(folder)
    for model, score, accuracy, hours in (("faces@1", 0.515, 0.9, 0), ("b@1", 0.004, 0.5, 2)):
        labels = f'attribute="gender",check="model",model="{model}"'
        assert values[f"drift_score{{{labels}}}"] == score
        assert values[f"drift_detected{{{labels}}}"] == (model == "faces@1")
        assert values[f'model_accuracy{{attribute="gender",model="{model}"}}'] == accuracy
        ran = AT.timestamp() + hours * 3600
        assert values[f'drift_check_timestamp_seconds{{check="model",model="{model}"}}'] == ran


def test_a_check_that_decided_nothing_has_run_all_the_same(folder: Path, ledger: Ledger) -> None:
    check_model(ledger, column("gender", UNDECIDED))
    values = samples_of(folder)
    assert values['drift_check_timestamp_seconds{check="model",model="faces@1"}'] == AT.timestamp()
    assert 'drift_decided_timestamp_seconds{check="model",model="faces@1"}' not in values


@pytest.mark.parametrize(("days", "is_shown"), [(14, True), (15, False)])
def test_a_model_that_was_replaced_has_no_gauges_after_two_weeks(
    folder: Path, ledger: Ledger, days: int, is_shown: bool
) -> None:
    check_model(ledger, column("gender", DRIFT, 0.3), model="old@1")
    check_model(ledger, column("gender", DECIDED, 0.1), model="new@1", at=AT + timedelta(days=days))
    assert any('model="old@1"' in name for name in samples_of(folder)) is is_shown
    # Another model's checks take nothing from the configured one.
    check_model(ledger, column("gender", DRIFT, 0.3))
    assert any('model="faces@1"' in name and name.startswith("drift_score") for name in samples_of(folder))


@pytest.mark.parametrize(("days", "is_shown"), [(45, True), (46, False)])
def test_an_accuracy_of_a_model_that_is_evaluated_no_more_goes(
    folder: Path, ledger: Ledger, days: int, is_shown: bool
) -> None:
    for model, at in (("old@1", AT), ("faces@1", AT), ("new@1", AT + timedelta(days=days))):
        record_accuracy(ledger, model, at, {"gender": (9, 10)}, ())
    shown = {name.partition('model="')[2][:-2] for name in samples_of(folder) if name.startswith("model_accuracy")}
    assert shown == {"faces@1", "new@1", *(["old@1"] if is_shown else [])}


@pytest.mark.parametrize(("days", "is_shown"), [(45, True), (46, False)])
def test_an_accuracy_of_an_attribute_that_is_evaluated_no_more_goes(
    folder: Path, ledger: Ledger, days: int, is_shown: bool
) -> None:
    enough = registry_of(folder, min_labels=10)
    for model in ("faces@1", "b@1"):
        record_accuracy(ledger, model, AT, {"gender": (9, 10), "age": (2, 10)}, ())
        # Few labels, which replace no accuracy, take none away either.
        record_accuracy(ledger, model, AT + timedelta(days=90), {"gender": (1, 1)}, ())
    before = values_of(exposition(enough))
    assert before['model_accuracy{attribute="age",model="faces@1"}'] == 0.2
    for model in ("faces@1", "b@1"):
        record_accuracy(ledger, model, AT + timedelta(days=days), {"gender": (10, 10), "age": (0, 0)}, ())
        shown = values_of(exposition(enough))
        assert shown[f'model_accuracy{{attribute="gender",model="{model}"}}'] == 1
        for metric in ("model_accuracy", "model_accuracy_labels"):
            assert (f'{metric}{{attribute="age",model="{model}"}}' in shown) is is_shown


def test_an_accuracy_goes_with_the_attribute(folder: Path, ledger: Ledger) -> None:
    """LowModelAccuracy of an attribute that the model lost would fire for ever."""
    for model in ("faces@1", "b@1"):
        record_accuracy(ledger, model, AT, {"gender": (9, 10), "beard": (1, 10)}, ())
    known = values_of(exposition(registry_of(folder, min_labels=10)))
    names = [name for name in known if name.startswith("model_accuracy{")]
    assert names == [
        f'model_accuracy{{attribute="{attribute}",model="{model}"}}'
        for attribute, model in (("beard", "b@1"), ("gender", "b@1"), ("gender", "faces@1"))
    ]


@pytest.mark.parametrize(("hours", "is_due"), [(47, True), (49, False)])
def test_no_check_is_due_of_a_model_that_predicts_no_more(
    folder: Path, ledger: Ledger, hours: int, is_due: bool
) -> None:
    log_images(ledger, 10)  # its run has ended
    now = datetime.now(UTC)
    check_model(ledger, column("gender", DRIFT, 0.3), at=now)
    check_model(ledger, column("gender", DRIFT, 0.3), model="new@1", at=now + timedelta(hours=hours))
    other = registry_of(folder, model=MODEL_CONFIG.model_copy(update={"name": "new"}))
    values = values_of(exposition(other))
    assert ('drift_check_timestamp_seconds{check="model",model="faces@1"}' in values) is is_due
    assert values['drift_detected{attribute="gender",check="model",model="faces@1"}'] == 1
    # Of the configured model a check is due, whether it predicts or not.
    assert 'drift_check_timestamp_seconds{check="model",model="faces@1"}' in samples_of(folder)
    with ledger.writing():
        sql(ledger).execute("UPDATE runs SET finished = NULL")  # such as an API that goes on
    assert 'drift_check_timestamp_seconds{check="model",model="faces@1"}' in values_of(exposition(other))


def test_each_source_has_gauges_of_its_own(folder: Path, ledger: Ledger) -> None:
    """Rows without a source have a label that says so, even where a source is called the same."""
    verdicts = {"a": DRIFT, "b": DECIDED, "c": UNDECIDED, None: DECIDED}
    check_model(ledger, column("gender", DRIFT, 0.3), sources=verdicts)

    def shown(metric: str) -> dict[str, float]:
        found = {name: value for name, value in samples_of(folder).items() if name.startswith(metric)}
        assert all('{check="model",model="faces@1",source="' in name for name in found)
        return {name.partition('source="')[2][:-2]: value for name, value in found.items()}

    assert shown("drift_source_detected") == {"a": 1, "b": 0, "(no source)": 0}
    assert shown("drift_source_rows") == {"a": 0, "b": 1, "c": 2, "(no source)": 3}
    check_model(ledger, column("gender", DRIFT, 0.3), sources={None: DECIDED, "(no source)": DRIFT})
    assert shown("drift_source_detected") == {"(no source)": 1}
    assert shown("drift_source_rows") == {"(no source)": 1}
    check_model(ledger, column("gender", DRIFT, 0.3))
    assert shown("drift_source") == {}


def test_the_sources_of_a_model_that_was_replaced_go_with_its_gauges(folder: Path, ledger: Ledger) -> None:
    for model, at in (("old@1", AT), ("faces@1", AT), ("new@1", AT + timedelta(days=15))):
        check_model(ledger, column("gender", DRIFT, 0.3), model=model, at=at, sources={"a": DRIFT})
    shown = {name.partition('model="')[2].partition('"')[0] for name in samples_of(folder) if "drift_source" in name}
    assert shown == {"faces@1", "new@1"}
