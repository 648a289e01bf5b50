"""What a store's metrics say at a glance: nothing that is unknown, too old or undecided is fine."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args

import pytest
from prometheus_client.core import Metric as Family

from facemon.config.alerts import DEFAULT_ALERTS
from facemon.config.quantities import Severity
from facemon.metrics.catalogue_values import catalogue_values
from facemon.reports.status_page import status_page
from facemon.reports.store_status import ExpectedChecks, Standing, StoreStatus, store_status
from facemon.store.total_families import gauge_family

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DUE = ExpectedChecks("m@1", ("model",), DAY)
MODEL = ("model", "m@1")


def families(
    *, age: timedelta | None = timedelta(hours=1), detected: float | None = 0.0, undecided: float = 0.0, up: float = 1.0
) -> list[Family]:
    found = [gauge_family("facemon_source_up", [(("store",), up)]), gauge_family("drift_threshold", [(MODEL, 0.05)])]
    if age is not None:
        found.append(gauge_family("drift_check_timestamp_seconds", [(MODEL, (NOW - age).timestamp())]))
    if detected is not None:
        found.append(gauge_family("drift_detected", [(("gender", *MODEL), detected)]))
    return [*found, gauge_family("drift_undecided", [(("gender", *MODEL), undecided)])]


def seen(found: Sequence[Family], expected: ExpectedChecks = DUE) -> StoreStatus:
    return store_status(catalogue_values(found), NOW, expected)


@pytest.mark.parametrize(("detected", "undecided", "old"), [*product((None, 0.0, 1.0), (0.0, 1.0), (False, True))])
def test_only_a_decided_and_recent_check_is_fine(detected: float | None, undecided: float, old: bool) -> None:
    age = 2 * DAY if old else timedelta(hours=1)
    status = seen(families(age=age, detected=detected, undecided=undecided))
    is_fine = detected == 0 and not undecided and not old
    assert (status.standing is Standing.OK) == is_fine
    assert (status.standing is Standing.DRIFT) == (detected == 1)
    assert ("<h1>No drift in the last checks</h1>" in status_page(status)) == is_fine


@pytest.mark.parametrize(
    ("age", "standing"),
    [
        (DAY, Standing.OK),
        (DAY + timedelta(seconds=1), Standing.OLD),
        (-timedelta(minutes=5), Standing.OK),
        (-timedelta(minutes=6), Standing.OLD),
        (None, Standing.OK),  # a model that predicts no more: none of its checks is due
    ],
)
def test_an_age_beyond_the_limit_or_in_the_future_is_too_old(age: timedelta | None, standing: Standing) -> None:
    assert [each.standing for each in seen(families(age=age)).checks] == [standing]


def test_without_an_age_that_is_due_none_is_too_old() -> None:
    assert seen(families(age=400 * DAY), ExpectedChecks("m@1", (), None)).standing is Standing.OK


def test_a_check_that_is_due_and_never_ran_is_undecided() -> None:
    status = seen(families(), ExpectedChecks("m@1", ("data", "model"), DAY))
    assert [(each.check, each.standing) for each in status.checks] == [
        ("data", Standing.UNDECIDED),
        ("model", Standing.OK),
    ]
    assert "data check of m@1: never ran" in status_page(status)


def test_a_check_that_compared_nothing_is_told_as_one_that_ran() -> None:
    ran = gauge_family("drift_check_timestamp_seconds", [(MODEL, (NOW - DAY).timestamp())])
    status = seen([gauge_family("facemon_source_up", [(("store",), 1.0)]), ran])
    assert status.standing is Standing.UNDECIDED
    page = status_page(status)
    assert "<h1>A check could not decide</h1>" in page
    assert "model check of m@1: nothing was compared" in page


def test_no_check_at_all_is_not_fine() -> None:
    status = seen([gauge_family("facemon_source_up", [(("store",), 1.0)])], ExpectedChecks("m@1", (), None))
    assert status.standing is Standing.UNDECIDED
    assert "No drift check yet" in status_page(status)


SERVICE_DOWN = gauge_family("external_service_status", [(("labels",), 0.0)])


def test_a_source_of_metrics_that_cannot_be_read_comes_first() -> None:
    # The service has the name of the collector.
    up = [gauge_family("facemon_source_up", [(("store",), 1.0), (("labels",), 0.0)]), SERVICE_DOWN]
    status = seen([*families(detected=1.0)[1:], *up])
    assert (status.standing, status.metrics, status.services) == (
        Standing.DOWN, {"store": True, "labels": False}, {"labels": False},
    )  # fmt: skip
    page = status_page(status)
    assert "<h1>A source of metrics cannot be read</h1>" in page
    assert "<li>source of metrics labels cannot be read</li><li>service labels is down</li>" in page


def test_a_service_that_is_down_is_called_a_service() -> None:
    status = seen([*families(), SERVICE_DOWN])
    assert status.standing is Standing.UNREACHABLE
    page = status_page(status)
    assert "<h1>A service is down</h1>" in page
    assert "source of metrics labels" not in page


@pytest.mark.parametrize(
    ("found", "headline"),
    [
        (families(detected=1.0), "Drift was found"),
        (families(undecided=1.0), "A check could not decide"),
        (families(age=400 * DAY), "The last check is too old"),
    ],
)
def test_a_service_that_is_down_outranks_nothing_about_the_images(found: list[Family], headline: str) -> None:
    page = status_page(seen([*found, SERVICE_DOWN], ExpectedChecks("m@1", (), DAY)))
    assert f"<h1>{headline}</h1>" in page
    assert "<li>service labels is down</li>" in page


def test_what_is_more_urgent_is_no_less_severe_as_an_alert() -> None:
    alerts = {
        Standing.DOWN: ("SourceUnreadable",), Standing.DRIFT: ("DriftDetected", "SourceDrift"),
        Standing.SILENT: ("SourceSilent",), Standing.UNDECIDED: ("DriftUndecided",),
        Standing.OLD: ("DriftCheckStale",), Standing.UNREACHABLE: ("ServiceDown",), Standing.OK: (),
    }  # fmt: skip
    assert list(alerts) == list(Standing)
    ranks = [get_args(Severity).index(DEFAULT_ALERTS[name].severity) for names in alerts.values() for name in names]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    ("rows", "detected", "standing"),
    [
        (0.0, 0.0, Standing.SILENT),
        (0.0, None, Standing.SILENT),
        (9.0, None, Standing.UNDECIDED),
        (9.0, 1.0, Standing.DRIFT),
        (9.0, 0.0, Standing.OK),
    ],
)
def test_a_source_is_silent_undecided_or_judged(rows: float, detected: float | None, standing: Standing) -> None:
    key = ("model", "gate", "m@1")
    found = [*families(), gauge_family("drift_source_rows", [(key, rows)])]
    if detected is not None:
        found.append(gauge_family("drift_source_detected", [(key, detected)]))
    status = seen(found)
    assert [each.standing for each in status.sources] == [standing]
    assert status.standing is standing


def test_metrics_of_others_may_have_any_form() -> None:
    other = Family("queue", "", "histogram")
    other.add_sample("queue_bucket", {}, 1.0)
    assert seen([*families(), other]).standing is Standing.OK
