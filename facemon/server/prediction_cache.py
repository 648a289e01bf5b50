"""The newest predictions by image, for cameras that send the same picture again."""

import threading
from collections import OrderedDict
from datetime import datetime

from facemon.domain.prediction import PredictedBatch


class PredictionCache:
    """Keeps the predictions of the `size` images that were asked for last; any thread may use it."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._batches: OrderedDict[str, PredictedBatch] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._batches)

    def get(self, sha256: str) -> PredictedBatch | None:
        """What was predicted for the image with this hash, or None."""
        with self._lock:
            if (batch := self._batches.get(sha256)) is not None:
                self._batches.move_to_end(sha256)
        return batch

    def put(self, sha256: str, batch: PredictedBatch) -> None:
        """Keep a prediction; the one that was not asked for the longest goes."""
        with self._lock:
            self._batches[sha256] = batch
            self._batches.move_to_end(sha256)
            while len(self._batches) > self.size:
                self._batches.popitem(last=False)


def predicted_again(batch: PredictedBatch, source: str | None, now: datetime) -> PredictedBatch:
    """The same rows as a new prediction: another moment, another source, and no inference."""
    import pyarrow as pa

    count = batch.rows.num_rows
    columns = batch.rows.to_pydict()
    columns |= {"predicted_at": [now] * count, "observed_at": [now] * count, "source": [source] * count}
    rows = pa.RecordBatch.from_pydict(columns, schema=batch.rows.schema)
    return PredictedBatch(rows, batch.ordinals, ())
