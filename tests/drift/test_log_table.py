from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from facemon.config.drift import TablesConfig
from facemon.domain.prediction import log_schema
from facemon.drift.tables import LOG_LAYOUT, read_reference, read_sample
from tests.drift.worlds import binary

START = datetime(2026, 11, 22, 2, 59, tzinfo=UTC)


def predictions(path: Path, images: int) -> Path:
    """Images with two faces, one, none, and unreadable ones in turn."""
    rows = []
    for image in range(images):
        shape = image % 4
        for face in range(max(1, 2 - shape)):
            error = {2: "no_face", 3: "unreadable"}.get(shape)
            rows.append(
                {
                    "run": "r",
                    "ordinal": image,
                    "image": f"{image}.jpg",
                    "face": None if error else face,
                    "observed_at": START + timedelta(seconds=image),
                    "predicted_at": START,
                    "model": "m@1",
                    "source": f"camera {image % 3}",
                    "origin": "batch",
                    "error": error,
                    "image_brightness": None if shape == 3 else 80.0 + image % 5,
                    "beard": None if error else ("yes" if image % 5 else "no"),
                    "beard_confidence": None if error else 0.9,
                }
            )
    table = pa.Table.from_pylist(rows, log_schema([binary("beard")]))
    pyarrow.parquet.write_table(table, path, row_group_size=7)
    return path


def test_predictions_are_counted_as_the_store_counts_them(tmp_path: Path) -> None:
    path = predictions(tmp_path / "predictions.parquet", 400)
    sample, layout = read_reference(path, attributes=[binary("beard")], tables=TablesConfig())
    assert layout is LOG_LAYOUT
    total = sample.total
    assert (total.images, total.faces, total.squares) == (400, 300, 100 * 4 + 100)
    assert set(sample.by_source) == {"camera 0", "camera 1", "camera 2"}
    failed, none = total.columns["image_failed"], total.columns["image_no_face"]
    assert dict(zip(failed.labels, failed.counts.tolist(), strict=True)) == {"no": 300, "yes": 100}
    assert dict(zip(none.labels, none.counts.tolist(), strict=True)) == {"no": 300, "yes": 100}
    assert total.columns["beard"].total == 300
    assert np.array_equal(total.columns["image_faces"].counts, [100, 100, 100, 100])
    again = read_sample(path, attributes=[binary("beard")], tables=TablesConfig(), layout=layout)
    assert again.total == total


def test_the_folders_of_the_store_are_no_columns(tmp_path: Path) -> None:
    """`segments/date=2026-11-22/x.parquet`: the day is where the store keeps a file, and nothing that a model says."""
    alone = read_sample(predictions(tmp_path / "alone.parquet", 400), attributes=[], tables=TablesConfig())
    (tmp_path / "segments" / "date=2026-11-22").mkdir(parents=True)
    predictions(tmp_path / "segments" / "date=2026-11-22" / "x.parquet", 400)
    assert read_sample(tmp_path / "segments", attributes=[], tables=TablesConfig(), layout=LOG_LAYOUT) == alone
