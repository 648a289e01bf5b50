import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from facemon.errors import FacemonError
from facemon.predict.pipeline import run_pipeline
from facemon.predict.worker_processes import WorkerProcesses, worker_processes
from facemon.values.image_input import ImageInput
from facemon.values.prediction import PredictedBatch
from tests.model.onnx_files import flat_image
from tests.predict.predicted import small_predictor


class Teller:
    """Answers with the process that was asked; does something else for some names."""

    def predict(self, images: Sequence[ImageInput], run: str) -> PredictedBatch:
        match images[0].name:
            case "break":
                raise FacemonError("the model broke", "mend it")
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "tell later":
                time.sleep(0.3)
        rows = pa.record_batch(
            {"run": [run], "process": [os.getpid()], "open": [[str(path) for path in Path("/proc/self/fd").iterdir()]]}
        )
        return PredictedBatch(rows, tuple(image.ordinal for image in images), (0.5,))


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
        # The standard streams, the connection, and the folder that is being listed.
        assert all(len(answer.rows["open"][0]) == 5 for answer in answers)
        assert answers[0].latencies == (0.5,)
    assert not [process for process in processes if Path(f"/proc/{process}").exists()]


def test_the_process_that_was_busy_last_is_asked_first() -> None:
    with worker_processes(Teller(), 2) as workers:
        answers = [workers.predict([ImageInput(0, "tell")], "r") for _ in range(5)]
    assert len({answer.rows["process"][0].as_py() for answer in answers}) == 1


def test_the_others_go_on_when_one_is_killed_and_the_end_of_all_is_said() -> None:
    with worker_processes(Teller(), 2) as workers:
        assert isinstance(workers, WorkerProcesses)
        with pytest.raises(FacemonError, match="a worker process was killed"):
            workers.predict([ImageInput(0, "die")], "r")
        assert workers.alive == 1
        assert workers.predict([ImageInput(0, "tell")], "r").ordinals == (0,)
        with pytest.raises(FacemonError, match="a worker process was killed"):
            workers.predict([ImageInput(0, "die")], "r")
        for _ in range(2):
            with pytest.raises(FacemonError, match="all worker processes were killed"):
                workers.predict([ImageInput(0, "tell")], "r")


def test_one_worker_is_the_process_itself() -> None:
    with worker_processes(Teller(), 1) as workers:
        assert workers.predict([ImageInput(0, "tell")], "r").rows["process"].to_pylist() == [os.getpid()]


def test_trouble_with_the_model_is_raised_with_its_hint_and_the_process_goes_on() -> None:
    with worker_processes(Teller(), 2) as workers:
        for _ in range(3):
            with pytest.raises(FacemonError, match="the model broke"):
                workers.predict([ImageInput(0, "break")], "r")
        assert len(workers.predict([ImageInput(7, "tell")], "r").ordinals) == 1


def test_a_killed_process_is_said() -> None:
    with worker_processes(Teller(), 2) as workers, pytest.raises(FacemonError, match="a worker process was killed"):
        workers.predict([ImageInput(0, "die")], "r")
