"""Stores for the tests of metrics: real ledgers with rows that are made up, and drift results to enter in them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from prometheus_client import CollectorRegistry

from facemon.config.loader import parse_config
from facemon.config.model import ModelConfig
from facemon.domain.drift_result import Check, CheckResult, ColumnResult, DriftResult, Side, SourceResult, Verdict
from facemon.domain.prediction import PredictedBatch
from facemon.metrics.exposition import exposition
from facemon.metrics.store_collector import build_registry
from facemon.store.drift_results import record_drift
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.runs import begin_run, finish_run
from facemon.store.segment_writer import SegmentWriter
from tests.store.log_rows import IDENTITY, MODEL, NOON, SCHEMA, log_images

CONFIGURATION = """\
version: 1
model:
  name: faces
  version: "1"
  networks:
    - path: faces.onnx
      input: {name: input, size: [8, 8], layout: nchw, channels: rgb, fit: stretch, resample: bilinear}
      attributes:
        - {name: gender, output: g, kind: categorical, labels: [female, male]}
        - {name: age, output: a, kind: ordinal, values: [5, 30, 70], bands: {young: [0, 18], old: [18, 99]}}
"""
MODEL_CONFIG = parse_config(CONFIGURATION, name="facemon.yaml", directory=Path("/")).model
AT = datetime(2026, 11, 23, 2, tzinfo=UTC)
DECIDED, UNDECIDED, DRIFT = Verdict.OK, Verdict.UNDECIDED, Verdict.DRIFT


def opener(folder: Path) -> Callable[[], Ledger]:
    return lambda: open_ledger(folder)


def registry_of(folder: Path, *, model: ModelConfig = MODEL_CONFIG, **options: Any) -> CollectorRegistry:
    return build_registry(opener(folder), model, **options)


def scrape(folder: Path, **options: Any) -> str:
    return exposition(registry_of(folder, **options))


def values_of(text: str) -> dict[str, float]:
    """Each series of an exposition, as it is written, with its value; fails when one is there twice."""
    pairs = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    assert len({name for name, _ in pairs}) == len(pairs), "a series is there twice"
    return {name: float(value) for name, value in pairs}


def samples_of(folder: Path) -> dict[str, float]:
    return values_of(scrape(folder))


def log_faces(ledger: Ledger, *faces: tuple[str, float, str, float], latencies: tuple[float, ...] = ()) -> None:
    """Log one image for each `(gender, confidence, age, confidence)`, then one that failed and one without a face."""
    run = begin_run(ledger, IDENTITY, NOON)
    base: dict[str, Any] = {"run": run.id, "observed_at": NOON, "predicted_at": NOON, "model": MODEL, "origin": "batch"}
    rows = [
        base | {"ordinal": ordinal, "image": f"{ordinal}.jpg", "face": 0, "gender": gender, "age": age}
        | {"gender_confidence": sure, "age_confidence": how_sure, "age_value": 30.0}
        for ordinal, (gender, sure, age, how_sure) in enumerate(faces)
    ]  # fmt: skip
    for error in ("unreadable", "no_face"):
        rows.append(base | {"ordinal": len(rows), "image": f"{error}.jpg", "error": error})
    with run:
        writer = SegmentWriter(ledger, run)
        writer.add(PredictedBatch(pa.RecordBatch.from_pylist(rows, SCHEMA), range(len(rows)), latencies))
        writer.close()
        finish_run(ledger, run, NOON)


def column(name: str, verdict: Verdict, score: float | None = None, *, measure: str = "label") -> ColumnResult:
    return ColumnResult(
        name, "categorical", verdict, score=score, p_adjusted=score and score / 10, n_reference=900, n_current=800,
        attribute=name.removesuffix("_confidence"), measure=measure,
    )  # fmt: skip


def check_model(
    ledger: Ledger,
    *columns: ColumnResult,
    at: datetime = AT,
    check: Check = Check.MODEL,
    model: str = MODEL,
    sources: Mapping[str | None, Verdict] | None = None,
) -> None:
    """Record a check of the columns, in which each source has a verdict of its own and as many rows as its place."""
    verdicts = [column.verdict for column in columns]
    verdict = next((v for v in (DRIFT, UNDECIDED) if v in verdicts), DECIDED)
    outcome = CheckResult(verdict, 0.05, columns)
    by_source = tuple(
        SourceResult(name, found, 900, place, {check: CheckResult(found, 0.05, columns)})
        for place, (name, found) in enumerate((sources or {}).items())
    )
    result = DriftResult(verdict, at, Side(900), Side(800), {check: outcome}, model=model, sources=by_source)
    record_drift(ledger, result)


def logged_folder(folder: Path) -> Path:
    """The folder, with a configuration, a log of 50 images and a drift check."""
    (folder / "facemon.yaml").write_text(CONFIGURATION)
    with open_ledger(folder / ".facemon", create=True) as ledger:
        log_images(ledger, 50)
        check_model(ledger, column("gender", DRIFT, 0.25))
    return folder
