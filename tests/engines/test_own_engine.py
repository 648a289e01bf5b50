"""An engine in a file of its own and a line of the registry is all that a run needs to go by it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from facemon.application.prediction import failure_limit, predict, retry_failed
from facemon.application.prediction_run import Sink
from facemon.application.run_inputs import PredictRequest
from facemon.cli.main import run
from facemon.cli.session import Session
from facemon.engines.registry import ENGINES, engine_of
from facemon.errors import FacemonError, UsageError
from facemon.store.ledger.opening import open_ledger
from tests.acceptance.small_model import write_small_model
from tests.engines.spawned_engine import Spawned
from tests.model.onnx_files import flat_image
from tests.store.sql import sql

IMAGES = 40
UNLIKE = ["run", "predicted_at"]
"""Columns that differ between any two runs."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Images of all colours, one of which is missing, and an engine of which facemon knows nothing else."""
    (tmp_path / "run").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    monkeypatch.setitem(ENGINES, Spawned.name, Spawned(tmp_path / "elsewhere"))
    write_small_model(Path())
    for number in range(IMAGES):
        flat_image(Path(f"{number}.png"), (6 * number, 0, 255 - 6 * number))
    names = "".join(f'{{"image": "{number}.png", "source": "gate"}}\n' for number in range(IMAGES))
    Path("images.jsonl").write_text(names + '{"image": "missing.png"}\n')
    return tmp_path / "run"


class Rows:
    """What a run shows."""

    has_every_row = False

    def __init__(self) -> None:
        self.batches: list[pa.RecordBatch] = []

    @contextmanager
    def __call__(self, earlier: Iterable[pa.RecordBatch] = ()) -> Iterator[Sink]:
        self.batches += earlier
        yield lambda batch: self.batches.append(batch.rows)

    def as_bytes(self) -> bytes:
        """All rows as a Parquet file, without what differs between any two runs."""
        sink = pa.BufferOutputStream()
        table = pa.Table.from_batches(self.batches).drop_columns(UNLIKE).combine_chunks()
        pyarrow.parquet.write_table(table, sink)
        return bytes(sink.getvalue())


def request(engine: str | None) -> PredictRequest:
    return PredictRequest(("images.jsonl",), threads=2, engine=engine)


def predicted(engine: str | None) -> Rows:
    rows = Rows()
    predict(Session().operation, request(engine), failure_limit("100%"), rows)
    return rows


def test_each_engine_makes_the_same_rows_to_the_last_byte(folder: Path) -> None:
    (folder / "images.jsonl").write_text(
        "".join(
            f'{{"image": "{number}.png", "observed_at": "2026-11-23T02:00:00Z"}}\n' for number in (*range(IMAGES), 99)
        )
    )
    rows = {name: predicted(name) for name in ENGINES}
    assert set(rows) == {"inline", "processes", "spawned"}
    assert {sum(batch.num_rows for batch in each.batches) for each in rows.values()} == {IMAGES + 1}
    expected = rows["inline"].as_bytes()
    assert {name: each.as_bytes() == expected for name, each in rows.items()} == dict.fromkeys(rows, True)


def test_what_an_engine_predicted_is_logged_once_at_the_time_of_the_store(folder: Path) -> None:
    predicted("spawned")
    assert run(["store", "verify"]) == 0
    with open_ledger(Path(".facemon")) as ledger:
        assert sql(ledger).execute("SELECT count(*), sum(done) FROM runs").fetchone() == (1, IMAGES + 1)


def test_a_run_of_one_engine_is_retried_by_another(folder: Path) -> None:
    predicted(None)
    flat_image(Path("missing.png"), (255, 0, 0))
    rows = Rows()
    summary = retry_failed(Session().operation, request("spawned"), failure_limit("0"), rows)
    assert summary.images == 1
    assert [name for batch in rows.batches for name in batch["image"].to_pylist()] == ["missing.png"]
    assert run(["store", "verify"]) == 0


def test_a_model_that_cannot_be_opened_elsewhere_is_the_same_error_and_nothing_is_begun(folder: Path) -> None:
    Path("m.onnx").unlink()
    messages = set()
    for name in ENGINES:
        with pytest.raises(FacemonError, match="the model cannot be read: no such file") as caught:
            predicted(name)
        messages.add((caught.value.message, caught.value.hint))
    assert len(messages) == 1
    assert not Path(".facemon").exists()


def test_processes_are_refused_for_devices() -> None:
    message = "the engine processes forks the model, and predict.providers has cuda"
    with pytest.raises(UsageError, match=message) as caught:
        engine_of("processes", ("cuda",))
    assert caught.value.hint == "use the engine inline, or providers: [cpu]"
    assert engine_of("inline", ("cuda",)).name == engine_of(None, ("cuda",)).name == "inline"


def test_an_engine_that_is_not_registered_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="the engine spawnd is unknown") as caught:
        predicted("spawnd")
    assert caught.value.hint == "did you mean spawned?"
    with pytest.raises(UsageError) as caught:
        predicted("x")
    assert "spawned" in ENGINES
    assert caught.value.hint == f"the engines are {', '.join(ENGINES)}"
