import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st

from facemon.domain.image_input import ImageInput
from facemon.domain.prediction import PredictedBatch
from facemon.engines.processes import MOST_CRASHES, worker_processes
from facemon.errors import FacemonError
from facemon.predict.pipeline import run_pipeline
from tests.model.onnx_files import flat_image
from tests.predict.predicted import small_predictor
from tests.short_form import examples


class Teller:
    """Answers with the process that was asked; does something else for some names."""

    def predict(self, images: Sequence[ImageInput], run: str) -> PredictedBatch:
        for image in images:
            if image.problem is None:
                self._act(image)
        rows = pa.record_batch(
            {
                "run": [run] * len(images),
                "image": [image.name for image in images],
                "error": pa.array([image.problem and image.problem.code.value for image in images], pa.string()),
                "error_message": pa.array([image.problem and image.problem.message for image in images], pa.string()),
                "process": [os.getpid()] * len(images),
                "open": [[str(path) for path in Path("/proc/self/fd").iterdir()]] * len(images),
            }
        )
        return PredictedBatch(rows, tuple(image.ordinal for image in images), (0.5,))

    def _act(self, image: ImageInput) -> None:
        match image.name:
            case "break":
                raise FacemonError("the model broke", "mend it")
            case "crash":
                os.abort()
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "killed once" if image.path is not None and not image.path.exists():
                image.path.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            case "tell later":
                time.sleep(0.3)


def test_what_a_real_model_answers_is_the_same_from_several_processes(tmp_path: Path) -> None:
    predictor = small_predictor(tmp_path)
    paths = [flat_image(tmp_path / f"{index}.png", (index * 5, 0, 255 - index * 5)) for index in range(50)]
    images = [ImageInput(index, path.name, path) for index, path in enumerate(paths)]
    with worker_processes(predictor, 2) as workers:
        batches = list(run_pipeline(images, workers, run="r", threads=2, stop=threading.Event()))
    together = pa.Table.from_batches([batch.rows for batch in batches])
    alone = pa.Table.from_batches([predictor.predict(images, "r").rows])
    assert together.combine_chunks().equals(alone.combine_chunks())


def test_chunks_go_to_processes_that_hold_nothing_open_and_end_with_the_block() -> None:
    with worker_processes(Teller(), 2) as workers, ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(workers.predict, [ImageInput(0, "tell later")], "r") for _ in range(2)]
        answers = [each.result() for each in asked]
        processes = {answer.rows["process"][0].as_py() for answer in answers}
        assert len(processes) == 2
        assert os.getpid() not in processes
        # The standard streams, the connection, the sign of life, and the folder that is being listed.
        assert all(len(answer.rows["open"][0]) == 6 for answer in answers)
        assert answers[0].latencies == (0.5,)
    assert not [process for process in processes if Path(f"/proc/{process}").exists()]


def test_the_process_that_was_busy_last_is_asked_first() -> None:
    with worker_processes(Teller(), 2) as workers:
        answers = [workers.predict([ImageInput(0, "tell")], "r") for _ in range(5)]
    assert len({answer.rows["process"][0].as_py() for answer in answers}) == 1


def children_of(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def names(batch: PredictedBatch) -> list[tuple[str, str | None]]:
    return list(zip(batch.rows["image"].to_pylist(), batch.rows["error"].to_pylist(), strict=True))


def test_one_image_that_ends_its_worker_is_an_error_and_all_others_are_predicted() -> None:
    given = [ImageInput(index, name) for index, name in enumerate(("a", "b", "crash", "c", "killed", "d"))]
    with worker_processes(Teller(), 2) as workers:
        batch = workers.predict(given, "r")
        assert names(batch) == [(each.name, "crashed" if each.name in ("crash", "killed") else None) for each in given]
        assert batch.ordinals == (0, 1, 2, 3, 4, 5)
        assert batch.rows["error_message"][2].as_py() == "the process that predicted it was ended by SIGABRT"
        assert names(workers.predict([ImageInput(0, "e")], "r")) == [("e", None)]


def test_an_image_whose_worker_was_killed_from_outside_is_tried_again(tmp_path: Path) -> None:
    image = ImageInput(0, "killed once", path=tmp_path / "mark")
    with worker_processes(Teller(), 2) as workers:
        assert names(workers.predict([image], "r")) == [("killed once", None)]


def test_idle_workers_that_were_killed_are_replaced_without_a_trace() -> None:
    with worker_processes(Teller(), 2) as workers:
        for _ in range(3):
            process = workers.predict([ImageInput(0, "tell")], "r").rows["process"][0].as_py()
            os.kill(process, signal.SIGKILL)
        assert names(workers.predict([ImageInput(0, "a"), ImageInput(1, "b")], "r")) == [("a", None), ("b", None)]


def test_a_run_ends_where_every_image_ends_its_worker() -> None:
    given = [ImageInput(index, "crash") for index in range(2 * MOST_CRASHES)]
    with (
        worker_processes(Teller(), 2) as workers,
        pytest.raises(FacemonError, match=f"of {MOST_CRASHES} images in a row were killed"),
    ):
        workers.predict(given, "r")


def test_the_end_of_the_server_that_begins_workers_is_said_once_it_matters() -> None:
    with worker_processes(Teller(), 2) as workers:
        *_, server = children_of(os.getpid())
        os.kill(server, signal.SIGKILL)
        assert names(workers.predict([ImageInput(0, "a")], "r")) == [("a", None)]
        for _ in range(3):
            with pytest.raises(FacemonError, match="the process that starts workers"):
                workers.predict([ImageInput(0, "crash")], "r")


@settings(max_examples=examples(0.2))
@given_by(st.lists(st.sampled_from(("good", "crash", "killed")), min_size=1, max_size=7))
def test_each_image_gets_its_row_once_whatever_dies(kinds: list[str]) -> None:
    given = [ImageInput(index, kind) for index, kind in enumerate(kinds)]
    with worker_processes(Teller(), 2) as workers:
        rows = names(workers.predict(given, "r"))
    assert rows == [(kind, None if kind == "good" else "crashed") for kind in kinds]


def test_one_worker_is_the_process_itself() -> None:
    with worker_processes(Teller(), 1) as workers:
        assert workers.predict([ImageInput(0, "tell")], "r").rows["process"].to_pylist() == [os.getpid()]


def test_trouble_with_the_model_is_raised_with_its_hint_and_the_process_goes_on() -> None:
    with worker_processes(Teller(), 2) as workers:
        for _ in range(3):
            with pytest.raises(FacemonError, match="the model broke"):
                workers.predict([ImageInput(0, "break")], "r")
        assert len(workers.predict([ImageInput(7, "tell")], "r").ordinals) == 1
