"""`predict --retry-failed` in a store with a damaged segment: what can be retried is logged, and the damage is told."""

from pathlib import Path

import pytest

from facemon.cli.main import run
from facemon.store import segment_writer
from facemon.store.ledger.opening import open_ledger
from tests.acceptance.small_model import write_small_model
from tests.model.onnx_files import flat_image
from tests.store.damage import files_of


def test_new_rows_are_logged_beside_a_damaged_segment_of_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(segment_writer, "INLINE_ROWS", 1)
    write_small_model(tmp_path)
    flat_image(tmp_path / "good.png", (10, 20, 30))
    (tmp_path / "bad.png").write_text("not an image")
    assert run(["-q", "predict", "good.png", "--threads", "1"]) == 0
    with open_ledger(tmp_path / ".facemon") as ledger:
        (damaged,) = files_of(ledger)
    damaged.unlink()
    assert run(["-q", "predict", "bad.png", "--threads", "1"]) == 1
    flat_image(tmp_path / "bad.png", (30, 20, 10))
    for said in ("trying 1 failed images", "1 damaged segment was left out"):
        capsys.readouterr()
        assert run(["predict", "bad.png", "--threads", "1", "--retry-failed"]) == 1
        shown = capsys.readouterr().err
        assert said in shown
        assert shown.count(f"the segment {damaged} is missing") == 1
    assert "failed images" not in shown
