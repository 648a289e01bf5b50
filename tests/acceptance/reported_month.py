"""A store with a month of a small model: three sources, nightly checks, a reference, drift, and evaluations."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from facemon import Monitor
from facemon.domain.labelled import LabelledImage
from facemon.domain.times import hour_of
from facemon.store.drift_results import record_drift
from facemon.store.evaluations import record_accuracy
from facemon.store.ledger.opening import open_ledger
from facemon.store.references import set_from_window
from tests.acceptance.small_model import write_small_model

DAY = timedelta(days=1)
SOURCES = ("gate", "yard", "<roof> & 1.2345")
MODEL = "small@1"
SETTINGS = "evaluate: {min_labels: 5}\ndrift: {evidently: {when: never}, widen_to: 4d}\n"


def write_month(folder: Path, end: datetime, *, days: int = 30, images: int = 240, settings: str = SETTINGS) -> Monitor:
    """Write `days` days up to a time; the reference is made of the first ten, on the last eight the gate drifts."""
    write_small_model(folder, settings)
    monitor = Monitor(folder / "facemon.yaml")
    begin, first = end - days * DAY, min(10, days // 3)
    rng = np.random.default_rng(7)
    for day in range(days):
        monitor.log(list(rows_of_day(rng, begin + day * DAY, images, drifts=day >= days - 8, dark=day >= days - 3)))
    with open_ledger(folder / ".facemon") as ledger:
        at = begin + first * DAY
        set_from_window(ledger, "first days", begin, at, model=MODEL, note="after the new lens", now=at)
    for day in range(first + 1, days + 1):
        at = begin + day * DAY
        found = monitor.check_window(at - DAY, at, record=False)
        with open_ledger(folder / ".facemon") as ledger:
            record_drift(ledger, replace(found, at=at, not_recorded_because=None))
            if day % 7 == 0:
                right = 40 - day // 2
                labelled = [LabelledImage("hair", f"{day}-{n}.jpg", hour_of(at), None, n < right) for n in range(45)]
                record_accuracy(ledger, MODEL, at, {"hair": (right, 45)}, labelled)
    return monitor


def rows_of_day(
    rng: np.random.Generator, day: datetime, images: int, *, drifts: bool, dark: bool
) -> Iterator[dict[str, Any]]:
    """The rows of a day; one in fifty has no face, one in eighty cannot be read."""
    for number in range(images):
        source = SOURCES[number % 3]
        if dark and source == "yard":
            continue
        at = day + number * DAY / images
        image = {"image": f"{day:%m%d}-{number}.jpg", "source": source, "observed_at": at}
        if number % 50 == 3 or number % 80 == 7:
            yield image | {"error": "no_face" if number % 50 == 3 else "unreadable"}
            continue
        share = 0.85 if drifts and source == "gate" else 0.5
        yield image | {
            "hair": "a" if rng.random() < share else "b",
            "hair_confidence": float(1 / (1 + np.exp(-rng.normal(2.4 if drifts else 3, 1)))),
            "image_brightness": float(rng.beta(5, 8 if drifts and source == "gate" else 5)),
            "image_sharpness": float(rng.gamma(3, 120)),
        }
