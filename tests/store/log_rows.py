"""Log rows for tests of the store: made from a seed, in the schema of the log."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from facemon.config.model import AttributeConfig
from facemon.domain.prediction import PredictedBatch, log_schema
from facemon.store.ledger.protocol import Ledger
from facemon.store.run_state import RunIdentity
from facemon.store.runs import begin_run, finish_run
from facemon.store.segment_writer import SegmentWriter

ATTRIBUTES = (
    AttributeConfig(name="gender", output="g", kind="categorical", labels=("female", "male")),
    AttributeConfig(
        name="age", output="a", kind="ordinal", values=(5.0, 30.0, 70.0), bands={"young": (0, 18), "old": (18, 99)}
    ),
)
SCHEMA = log_schema(ATTRIBUTES)
MODEL = "faces@1"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
IDENTITY = RunIdentity(("images",), MODEL, "f" * 64, None)


def make_batch(
    first: int, images: int, *, run: str, observed: datetime = NOON, spread: timedelta = timedelta(0),
    sources: tuple[str | None, ...] = (None,), seed: int = 0, predicted: datetime | None = None,
) -> PredictedBatch:  # fmt: skip
    """Rows of `images` inputs from ordinal `first` on: of ten, one fails, one has no face, one has two."""
    random = np.random.default_rng((seed, first))
    rows = []
    for ordinal in range(first, first + images):
        error = {0: "unreadable", 1: "no_face"}.get(ordinal % 10)
        base = {
            "run": run, "ordinal": ordinal, "image": f"{ordinal:06}.jpg", "image_sha256": f"{ordinal:064x}",
            "observed_at": observed + spread * (ordinal / 1000), "predicted_at": predicted or observed, "model": MODEL,
            "source": sources[ordinal % len(sources)], "origin": "batch", "error": error,
        }  # fmt: skip
        if error != "unreadable":
            base |= {"image_brightness": float(random.uniform(0.2, 0.8)), "image_size": 0.04}
        if error:
            rows.append(base)
            continue
        for face in range(2 if ordinal % 10 == 2 else 1):
            label, age = random.choice(["female", "male"]), float(random.uniform(1, 80))
            rows.append(
                base | {
                    "face": face, "box": [1, 2, 30, 40], "gender": str(label), "image_face_share": 0.2,
                    "gender_confidence": float(random.uniform(0.5, 1)), "age": "young" if age < 18 else "old",
                    "age_confidence": float(random.uniform(0.4, 1)), "age_value": age,
                }
            )  # fmt: skip
    return PredictedBatch(pa.RecordBatch.from_pylist(rows, SCHEMA), range(first, first + images), (0.01, 0.3))


def log_images(ledger: Ledger, images: int, *, batch: int = 100, **options: object) -> str:
    """Log a whole run of made rows; answer its id."""
    run = begin_run(ledger, IDENTITY, datetime.now(UTC))
    with run:
        writer = SegmentWriter(ledger, run)
        for first in range(0, images, batch):
            writer.add(make_batch(first, min(batch, images - first), run=run.id, **options))  # type: ignore[arg-type]
        writer.close()
        finish_run(ledger, run, datetime.now(UTC))
    return run.id
