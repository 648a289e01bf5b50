import pyarrow as pa
import pytest

from facemon.domain.prediction import PredictedBatch
from facemon.errors import UsageError
from facemon.predict.run_summary import FailureLimit, RunSummary


def test_the_summary_counts_images_and_faces(batch: PredictedBatch) -> None:
    def of(errors: list[str | None], ordinals: tuple[int, ...]) -> PredictedBatch:
        return PredictedBatch(pa.record_batch({"error": pa.array(errors, pa.string())}), ordinals, ())

    # Three faces in one image, an image without, two that failed.
    many = of([None, None, None, "no_face", "nan", "denied"], (3, 4, 5, 6))
    summary = RunSummary().update(batch, 1.0).update(many, 2.0)
    assert summary == RunSummary(ok=3, no_face=1, failed=3, faces=5, seconds=2.0, times=summary.times)
    assert str(summary) == "7 images, 3 ok (5 faces), 1 without a face, 3 failed, 2.0 s, 4 images/s"


@pytest.mark.parametrize(
    ("limit", "exceeded"), [("0", True), ("2", True), ("3", False), ("42%", True), ("43 %", False), ("100%", False)]
)
def test_more_failures_than_allowed(limit: str, exceeded: bool) -> None:
    assert RunSummary(ok=4, failed=3).exceeds(FailureLimit.parse(limit)) is exceeded


@pytest.mark.parametrize("text", ["", "-1", "many", "101%", "1.5", "%"])
def test_limits_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError):
        FailureLimit.parse(text)
