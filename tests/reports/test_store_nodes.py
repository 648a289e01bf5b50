"""What `facemon store info` says of nodes, and how old it is."""

from datetime import UTC, datetime, timedelta

import pytest

from facemon.domain.times import format_time
from facemon.reports.store_report import store_table

NOW = datetime(2026, 11, 30, 12, 30, tzinfo=UTC)
GATE = {"node": "gate", "location": "s3://logs/", "epoch": "5d1c0f3a9be24c71", "deliveries": 12, "until": None}


def shown(**facts: object) -> dict[str, str]:
    table = store_table({"models": {}, "delivers": None, "collected": [], **facts}, NOW)
    return {row[0]: row[1] for row in table.rows}


def collected(age: timedelta, missing: int = 0) -> dict[str, object]:
    times = {
        "last_observed_at": format_time(NOW - age - timedelta(hours=1)),
        "last_delivered_at": format_time(NOW - age),
    }
    return {"node": "gate", "epochs": 2, "deliveries": 1, "missing": missing, **times}


def test_a_store_without_nodes_says_nothing_of_them() -> None:
    assert shown() == {"models": "-"}


def test_a_node_says_up_to_when_all_is_delivered() -> None:
    assert shown(delivers=GATE)["delivers"] == (
        "as gate to s3://logs/, not all of it yet; 12 deliveries in epoch 5d1c0f3a9be24c71"
    )
    until = GATE | {"until": format_time(NOW - timedelta(minutes=30))}
    assert "all observed before 2026-11-30 12:00 UTC (30m ago)" in shown(delivers=until)["delivers"]


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(0), "0s"),
        (timedelta(minutes=119), "1h59m"),
        (timedelta(minutes=187), "3h"),
        (timedelta(hours=71), "2d"),
        (timedelta(days=-1), "0s"),
    ],
)
def test_a_centre_says_how_old_the_last_delivery_of_a_node_is(age: timedelta, said: str) -> None:
    text = shown(collected=[collected(age, missing=2)])["collected from gate"]
    assert text.startswith("1 delivery in 2 epochs, 2 numbers missing, the last one of 2026-1")
    assert f"({said} ago); rows up to" in text
