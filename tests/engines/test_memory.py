"""Where each engine opens the model, shown by who calls the factory and by what the system counts as shared memory."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save_model

from facemon.config.model import ModelConfig
from facemon.config.serving import PredictConfig
from facemon.domain.image_input import ImageInput
from facemon.domain.predicting import OpenModel, Predicts
from facemon.domain.prediction import PredictedBatch
from facemon.engines.engine import Engine, Work
from facemon.engines.inline import Inline
from facemon.engines.processes import Processes, worker_processes
from facemon.model.factory import ModelFactory
from facemon.predict.pipeline import run_pipeline
from tests.model.onnx_files import flat_image, model_of
from tests.predict.predicted import small_model

MIB = 2**20
WEIGHTS_MIB = 96


@dataclass(frozen=True)
class NotedFactory:
    """Opens a model, and notes in a file which process did so."""

    factory: ModelFactory
    notes: Path

    def __call__(self) -> OpenModel:
        with self.notes.open("a") as notes:
            notes.write(f"{os.getpid()}\n")
        return self.factory()


def images(folder: Path, count: int) -> list[ImageInput]:
    paths = [flat_image(folder / f"{number}.png", (number, 90, 0)) for number in range(count)]
    return [ImageInput(number, path.name, path) for number, path in enumerate(paths)]


def work(given: list[ImageInput], workers: int) -> Work:
    return Work(workers, lambda number: len(given) > number)


@pytest.mark.parametrize("engine", [Inline(), Processes()], ids=lambda engine: engine.name)
@pytest.mark.parametrize("count", [3, 60])
def test_the_model_is_opened_once_in_the_process_of_the_run(tmp_path: Path, engine: Engine, count: int) -> None:
    factory = NotedFactory(ModelFactory(small_model(tmp_path), PredictConfig()), tmp_path / "notes")
    given = images(tmp_path, count)
    with engine.opened(factory) as model, model.spread(work(given, 2)) as workers:
        batches = list(run_pipeline(given, workers, run="r", threads=2, stop=threading.Event()))
    assert sum(batch.rows.num_rows for batch in batches) == count
    assert (tmp_path / "notes").read_text().split() == [str(os.getpid())]


def heavy_model(folder: Path) -> ModelConfig:
    """A network with weights of WEIGHTS_MIB, all of which each run reads."""
    side = WEIGHTS_MIB * MIB // 4 // 48
    weights = {
        "wide": np.random.default_rng(0).random((48, side), np.float32),
        "axes": np.asarray([1], np.int64),
    }
    nodes = [
        helper.make_node("Flatten", ["input"], ["flat"]),
        helper.make_node("MatMul", ["flat", "wide"], ["products"]),
        helper.make_node("ReduceMean", ["products", "axes"], ["score"], keepdims=1),
    ]
    graph = helper.make_graph(
        nodes,
        "heavy",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, 4, 4])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    save_model(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), folder / "heavy.onnx"
    )
    return model_of(folder / "heavy.onnx", [{"name": "score", "output": "score", "kind": "number"}])


def memory_mib(process: int) -> Mapping[str, float]:
    """What the system counts of a process's memory, in MiB; private is what it shares with none."""
    rows = (line.split() for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:])
    return {row[0].rstrip(":"): int(row[1]) / 1024 for row in rows}


def children_of(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


class OpensLate:
    """A model that each process opens by itself, when it is first asked."""

    def __init__(self, open_model: Callable[[], OpenModel]) -> None:
        self._open_model = open_model
        self._model: OpenModel | None = None

    def predict(self, images: Sequence[ImageInput], run: str) -> PredictedBatch:
        self._model = self._model or self._open_model()
        return self._model.predict(images, run)


@contextmanager
def forked_first(open_model: Callable[[], OpenModel]) -> Iterator[Predicts[PredictedBatch]]:
    with worker_processes(OpensLate(open_model), 2) as workers:
        yield workers


@contextmanager
def opened_first(open_model: Callable[[], OpenModel]) -> Iterator[Predicts[PredictedBatch]]:
    with Processes().opened(open_model) as model, model.spread(Work(2, lambda _: True)) as workers:
        yield workers


@pytest.mark.parametrize("spread", [opened_first, forked_first])
def test_workers_share_the_weights_of_a_model_that_was_opened_before_they_began(
    tmp_path: Path, spread: Callable[[Callable[[], OpenModel]], AbstractContextManager[Predicts[PredictedBatch]]]
) -> None:
    """Those that open it themselves show that the measure tells both cases from each other."""
    factory, given = ModelFactory(heavy_model(tmp_path), PredictConfig()), images(tmp_path, 24)
    others = set(children_of(os.getpid()))
    with spread(factory) as workers, ThreadPoolExecutor(2) as threads:
        both = Barrier(2)

        def ask() -> None:
            both.wait()
            workers.predict(given, "r")

        for asked in [threads.submit(ask) for _ in range(2)]:
            asked.result()
        first, second, _ = sorted(set(children_of(os.getpid())) - others)
        memory = [memory_mib(process) for process in (first, second)]
    own = [each["Private_Dirty"] + each["Private_Clean"] for each in memory]
    assert min(each["Rss"] for each in memory) > WEIGHTS_MIB
    if spread is opened_first:
        assert max(own) < WEIGHTS_MIB / 2
    else:
        assert min(own) > WEIGHTS_MIB
